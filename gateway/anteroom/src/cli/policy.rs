use super::{ConfigArg, Done, Failure, JsonArg, Out, Usage, context::with_context, output::moment};
use anteroom_approvals::{Explained, HOSPITAL, STARTERS, Why};
use anteroom_domain::{AccountName, Capabilities, Capability, Handle, Moment, TargetName};
use anteroom_policy::{
    Policy, PolicyFile,
    pdp::{CasesError, Factor, FactorKind, try_cases},
};
use anteroom_posture::Comes;
use anyhow::{Context as _, anyhow};
use clap::Subcommand;
use std::{
    io::Write as _,
    net::IpAddr,
    path::{Path, PathBuf},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    json: JsonArg,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Read policy files and say what is wrong with them, with line and hint. Needs no configuration.
    #[command(after_help = "Exit status 0: they type-check. 1: they do not.\n\nExample:\n  anteroom policy check policies/")]
    Check {
        /// *.cedar files, or folders of them.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Ask policy files the questions of the *.toml files beside them. Needs no configuration.
    #[command(after_help = "Exit status 0: all as expected. 1: something differs.\n\nExample:\n  anteroom policy test policies/")]
    Test {
        /// Folders with *.cedar and *.toml files.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Let these policies count from now on, on every gateway. What does not type-check changes nothing.
    Set {
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// Why, for those who read the history.
        #[arg(long, default_value = "")]
        note: String,
    },
    /// The policies that count, or those of an earlier version.
    Show {
        #[arg(long)]
        version: Option<i64>,
    },
    /// Every version: when, by whom, why.
    History,
    /// The policies that come with the program: a start for your own.
    #[command(after_help = "\
Example:
  anteroom policy default --dir policies
  anteroom policy test policies")]
    Default {
        /// Write them, the stricter ones beside them and the tests of both into this folder. Nothing that is there is overwritten.
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// The attributes that policies can ask about, with their types.
    Schema,
    /// Why may, or may not, this person reach this target at that time?
    #[command(after_help = "\
Examples:
  anteroom policy explain ada mri-3 --at 2026-11-27T02:00:00Z --source 10.1.2.3
  anteroom policy explain ada mri-3 --capability shell --capability \"download:/var/log/*\"
  anteroom policy explain ada mri-3 --factor certificate --factor-age 50")]
    Explain {
        person: Handle,
        target: TargetName,
        #[arg(long, default_value = "root")]
        account: AccountName,
        /// RFC 3339; empty: now.
        #[arg(long, value_parser = at)]
        at: Option<Moment>,
        /// Where they come from.
        #[arg(long)]
        source: Option<IpAddr>,
        /// Fingerprint of the SSH key they use, as ssh-keygen -l prints it: says which of their machines it is.
        #[arg(long, value_name = "SHA256:...")]
        key: Option<String>,
        /// What for, as in a request; may be given several times. Without any: what people usually ask for there.
        #[arg(long = "capability", value_name = "CAPABILITY")]
        capabilities: Vec<Capability>,
        /// The connection's second factor: passkey, certificate, security_key, remembered or card; none: nobody has given one yet.
        #[arg(long, default_value = "passkey", value_parser = factor)]
        factor: FactorChoice,
        /// How many minutes ago it was given.
        #[arg(long, default_value_t = 0, value_name = "MINUTES")]
        factor_age: u32,
    },
}

fn at(s: &str) -> Result<Moment, &'static str> {
    Moment::parse(s, &time::format_description::well_known::Rfc3339).map_err(|_| "not a time like 2026-11-27T02:00:00Z")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FactorChoice(Option<FactorKind>);

fn factor(s: &str) -> Result<FactorChoice, String> {
    if s == "none" {
        return Ok(FactorChoice(None));
    }
    s.parse().map(|k| FactorChoice(Some(k))).map_err(|e| format!("{e}, or none"))
}

pub(crate) async fn run(a: Args, out: &mut Out) -> Done {
    match a.what {
        What::Check { paths } => check(&paths, out),
        What::Test { paths } => test(&paths, a.json.json, out),
        What::Default { dir: None } => Ok(out.line(HOSPITAL.trim_end())?),
        What::Default { dir: Some(dir) } => starters(&dir, out),
        What::Schema => Ok(out.line(Policy::schema_text().trim_end())?),
        What::Set { paths, note } => {
            let files = read(&paths, "cedar")?;
            with_context!(&a.config, cx => {
                let version = cx.approvals.set_policy(None, files, &note).await?;
                Ok(out.line(format!("version {version} counts now; running sessions are judged by it"))?)
            })
        }
        What::Show { version } => with_context!(&a.config, cx => {
            let files = match version {
                None => cx.approvals.policy().files().to_vec(),
                Some(v) => {
                    let found = cx.approvals.policy_versions().await?.into_iter().find(|x| x.version == v);
                    found.ok_or_else(|| anyhow!("there is no version {v}; see: anteroom policy history"))?.files
                }
            };
            if a.json.json {
                return Ok(out.json(&files)?);
            }
            for f in files {
                out.line(format!("// {}\n{}", f.name, f.text.trim_end()))?;
            }
            Ok(())
        }),
        What::History => with_context!(&a.config, cx => {
            let all = cx.approvals.policy_versions().await?;
            if a.json.json {
                return Ok(out.json(&all)?);
            }
            let rows: Vec<_> = all
                .iter()
                .map(|v| {
                    let by = v.set_by.map_or_else(|| "command line".to_owned(), |p| p.to_string());
                    vec![v.version.to_string(), moment(v.set_at), by, v.sha256[..12].to_owned(), v.note.clone()]
                })
                .collect();
            Ok(out.table(&["VERSION", "SET", "BY", "SHA-256", "NOTE"], &rows, "nobody set one: the hospital's default counts (anteroom policy default)")?)
        }),
        What::Explain { person, target, account, at, source, key, capabilities, factor, factor_age } => with_context!(&a.config, cx => {
            let person = cx.person(&person).await?;
            let comes = Comes { from: source, key: key.as_deref() };
            let why = Why {
                at,
                capabilities: (!capabilities.is_empty()).then(|| Capabilities(capabilities.into_iter().collect())),
                factor: factor.0.map(|kind| Factor { kind, age: time::Duration::minutes(factor_age.into()) }),
                ..Why::usual(&person, &target, &account, comes)
            };
            let explained = cx.approvals.explain(why).await?;
            let explained = explained.ok_or_else(|| anyhow!("there is no target \"{target}\""))?;
            if a.json.json {
                return Ok(out.json(&explained)?);
            }
            show(&explained, out)
        }),
    }
}

fn show(e: &Explained, out: &mut Out) -> Done {
    for s in &e.sentences {
        out.line(s)?;
    }
    Ok(())
}

fn starters(dir: &Path, out: &mut Out) -> Done {
    std::fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
    for (name, text) in STARTERS {
        let path = dir.join(name);
        let written = std::fs::File::create_new(&path).and_then(|mut f| f.write_all(text.as_bytes()));
        written.with_context(|| format!("writing {}", path.display()))?;
        out.line(path.display().to_string())?;
    }
    Ok(())
}

fn check(paths: &[PathBuf], out: &mut Out) -> Done {
    let policy = load(paths)?;
    Ok(out.line(format!("good: {} policies in {} files", policy.len(), policy.files().len()))?)
}

fn load(paths: &[PathBuf]) -> Result<Policy, Failure> {
    Policy::load(read(paths, "cedar")?).map_err(|e| Failure::Failed(anyhow!("{e}")))
}

fn test(paths: &[PathBuf], json: bool, out: &mut Out) -> Done {
    let policy = load(paths)?;
    let mut all = Vec::new();
    for file in read(paths, "toml")? {
        let tried = try_cases(&policy, &file.text).map_err(|e| match e {
            CasesError::Toml(e) => anyhow!("{}: {e}", file.name),
            other => anyhow!("{}: {other}", file.name),
        })?;
        all.extend(tried);
    }
    let wrong = all.iter().filter(|t| t.wrong.is_some()).count();
    if json {
        out.json(&all)?;
    } else {
        for t in all.iter().filter(|t| t.wrong.is_some()) {
            out.line(format!("differs: {}\n  {}", t.says, t.wrong.as_deref().unwrap_or_default()))?;
        }
        out.line(format!("{} as expected, {wrong} differ", all.len() - wrong))?;
    }
    match (wrong, all.len()) {
        (_, 0) => Err(Usage("no *.toml file with cases was found beside the policies".into()).into()),
        (0, _) => Ok(()),
        _ => Err(Failure::Failed(anyhow!("the policies do not say what their tests expect"))),
    }
}

/// Files as given, and those of folders by their ending, in order of their names.
fn read(paths: &[PathBuf], ending: &str) -> anyhow::Result<Vec<PolicyFile>> {
    let mut found: Vec<PathBuf> = Vec::new();
    for path in paths {
        if path.is_dir() {
            let mut inside: Vec<PathBuf> = std::fs::read_dir(path)
                .and_then(|d| d.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>())
                .with_context(|| format!("reading {}", path.display()))?;
            inside.retain(|p| ends(p, ending));
            inside.sort();
            found.extend(inside);
        } else if ends(path, ending) {
            found.push(path.clone());
        }
    }
    found
        .into_iter()
        .map(|p| {
            let text = std::fs::read_to_string(&p).with_context(|| format!("reading {}", p.display()))?;
            Ok(PolicyFile { name: p.file_name().unwrap_or_default().to_string_lossy().into_owned(), text })
        })
        .collect()
}

fn ends(p: &Path, ending: &str) -> bool {
    p.extension().is_some_and(|e| e == ending)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(subcommand)]
        what: What,
    }

    type Asked = (Vec<String>, Option<FactorKind>, u32);

    fn explain(more: &[&str]) -> Result<Asked, clap::Error> {
        let line = Line::try_parse_from(["policy", "explain", "ada", "mri-3"].iter().chain(more))?;
        let What::Explain { capabilities, factor, factor_age, .. } = line.what else { panic!("{line:?}") };
        Ok((capabilities.iter().map(ToString::to_string).collect(), factor.0, factor_age))
    }

    #[test]
    fn a_question_names_what_for_and_the_second_factor_or_is_as_usual() {
        assert_eq!(explain(&[]).unwrap(), (vec![], Some(FactorKind::Passkey), 0));
        let asked = explain(&["--capability", "shell", "--capability", "download:/a b", "--factor", "certificate", "--factor-age", "50"]);
        assert_eq!(asked.unwrap(), (vec!["shell".into(), "download:/a b".into()], Some(FactorKind::Certificate), 50));
        assert_eq!(explain(&["--factor", "none"]).unwrap().1, None);
        for (bad, said) in [(["--capability", "fly"], "fly"), (["--factor", "otp"], "security_key"), (["--factor-age", "-1"], "-1")] {
            assert!(explain(&bad).unwrap_err().to_string().contains(said), "{bad:?}");
        }
    }
}
