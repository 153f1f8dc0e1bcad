use super::{
    ConfigArg, Done, JsonArg, Out,
    context::{Context, with_context},
    output::moment,
};
use anteroom_approvals::{AuthorityInfo, Purpose};
use anteroom_domain::AuthorityId;
use clap::{Subcommand, ValueEnum};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    json: JsonArg,
    #[command(subcommand)]
    what: What,
}

/// What an authority signs.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum For {
    /// People's short-lived certificates (anteroom login); only this gateway believes in it.
    Person,
    /// The gateway's own logins at targets (credential --gateway-ca); targets believe in it.
    Target,
    /// Host certificates for ssh -J; people's clients believe in it.
    Host,
}

impl From<For> for Purpose {
    fn from(f: For) -> Self {
        match f {
            For::Person => Self::Person,
            For::Target => Self::Target,
            For::Host => Self::Host,
        }
    }
}

#[derive(Debug, Subcommand)]
enum What {
    /// Every authority, with those that are retired.
    List,
    /// The public lines that still count for one purpose, for the file that wants them.
    #[command(after_help = "\
Example:
  anteroom ca show target > anteroom-ca.pub
  scp anteroom-ca.pub root@ehr-db-1:/etc/ssh/    and there in sshd_config:  TrustedUserCAKeys /etc/ssh/anteroom-ca.pub")]
    Show {
        #[arg(value_enum)]
        purpose: For,
    },
    /// Make a new authority that signs from now on. What the one before has signed goes on counting until that is retired.
    #[command(
        after_help = "Example:\n  anteroom ca rotate target      says what has to be done at the targets, and how to retire the old one"
    )]
    Rotate {
        #[arg(value_enum)]
        purpose: For,
    },
    /// What this authority has signed counts for nothing from now on. The one that signs can't be retired: rotate first.
    #[command(after_help = "Example:\n  anteroom ca list\n  anteroom ca retire 0198f2b4-0000-7000-8000-000000000001")]
    Retire {
        #[arg(value_name = "ID")]
        authority: AuthorityId,
    },
}

pub(crate) async fn run(a: Args, out: &mut Out) -> Done {
    with_context!(&a.config, cx => match a.what {
        What::List => list(&cx, a.json.json, out).await,
        What::Show { purpose } => show(&cx, purpose.into(), a.json.json, out).await,
        What::Rotate { purpose } => {
            let made = cx.approvals.rotate_authority(purpose.into(), None).await?;
            if a.json.json {
                return Ok(out.json(&made)?);
            }
            let old: Vec<_> = counting(&cx, made.purpose).await?.into_iter().filter(|o| o.id != made.id).collect();
            Ok(out.line(after_rotation(&made, &old))?)
        }
        What::Retire { authority } => {
            cx.approvals.retire_authority(authority, None).await?;
            Ok(out.line(format!("authority {authority} is retired: nothing it has signed counts any more"))?)
        }
    })
}

/// Those whose signatures count, the one that signs first.
async fn counting(cx: &Context, purpose: Purpose) -> anyhow::Result<Vec<AuthorityInfo>> {
    Ok(cx.approvals.authorities(purpose).await?.into_iter().filter(|a| a.retired_at.is_none()).collect())
}

async fn list(cx: &Context, json: bool, out: &mut Out) -> Done {
    let mut all = Vec::new();
    for purpose in Purpose::ALL {
        all.extend(cx.approvals.authorities(purpose).await?);
    }
    if json {
        return Ok(out.json(&all)?);
    }
    let mut rows = Vec::new();
    for (n, a) in all.iter().enumerate() {
        let first = n == 0 || all[n - 1].purpose != a.purpose;
        let state = match (a.retired_at, first) {
            (Some(at), _) => format!("retired {}", moment(at)),
            (None, true) => "signs".into(),
            (None, false) => "still counts".into(),
        };
        rows.push(vec![a.id.to_string(), a.purpose.as_str().to_owned(), moment(a.made_at), state, a.fingerprint.clone()]);
    }
    Ok(out.table(&["ID", "SIGNS FOR", "MADE", "STATE", "FINGERPRINT"], &rows, "no authority yet; the first is made when it is needed")?)
}

async fn show(cx: &Context, purpose: Purpose, json: bool, out: &mut Out) -> Done {
    let found = counting(cx, purpose).await?;
    if json {
        return Ok(out.json(&found)?);
    }
    // Comments are allowed in each of the files these lines are for.
    out.line(format!("# {}", belongs(purpose)))?;
    for a in found {
        out.line(a.public_key)?;
    }
    Ok(())
}

fn belongs(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Person => "signs people's certificates; the gateway checks them itself, no other machine needs this",
        Purpose::Target => {
            "at each target: save as /etc/ssh/anteroom-ca.pub, and in sshd_config: TrustedUserCAKeys /etc/ssh/anteroom-ca.pub"
        }
        Purpose::Host => "for known_hosts of people's clients; anteroom ssh-config prints it ready, restricted to the targets' names",
    }
}

/// What is left to do, for a person to read.
fn after_rotation(made: &AuthorityInfo, old: &[AuthorityInfo]) -> String {
    let mut t = format!("the new authority signs from now on: {}\n{}\n\n", made.fingerprint, made.public_key);
    t.push_str(match made.purpose {
        Purpose::Person => {
            "Nothing has to be done elsewhere: certificates of the one before count until they end, and it is retired by itself after the last.\n\
             If its key may be known to somebody, do not wait: retire it now, and people run anteroom login again.\n"
        }
        Purpose::Target => {
            "Targets refuse the gateway until they know the new authority. At each target with a gateway-ca credential, now:\n\
             \x20 1. anteroom ca show target > anteroom-ca.pub        both lines, old and new\n\
             \x20 2. put it where TrustedUserCAKeys in the target's sshd_config points, and: systemctl reload ssh\n\
             When all have it, retire the one before, and put the file with the new line alone in place the same way.\n"
        }
        Purpose::Host => {
            "Clients that jump (ssh -J) warn of an unknown host until they know the new authority. Now:\n\
             \x20 1. anteroom ssh-config --only known-hosts            prints the lines with both authorities\n\
             \x20 2. hand them out: ~/.ssh/known_hosts of each person, or /etc/ssh/ssh_known_hosts\n\
             The gateway goes on showing certificates it made before for at most an hour. When all have the lines, retire the one before.\n"
        }
    });
    for o in old {
        t.push_str(&format!("\nstill counts: {} made {}\n  anteroom ca retire {}\n", o.fingerprint, moment(o.made_at), o.id));
    }
    t.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use time::OffsetDateTime;

    fn authority(purpose: Purpose, n: u128) -> AuthorityInfo {
        AuthorityInfo {
            id: AuthorityId(uuid::Uuid::from_u128(n)),
            purpose,
            public_key: format!("ssh-ed25519 AAAA{n}"),
            fingerprint: format!("SHA256:{n}"),
            made_at: OffsetDateTime::UNIX_EPOCH,
            retired_at: None,
        }
    }

    #[test]
    fn a_rotation_says_what_is_left_to_do_and_how_the_old_one_goes() {
        for (purpose, word) in [
            (Purpose::Person, "Nothing has to be done"),
            (Purpose::Target, "TrustedUserCAKeys"),
            (Purpose::Host, "ssh-config --only known-hosts"),
        ] {
            let old = authority(purpose, 1);
            let said = after_rotation(&authority(purpose, 2), std::slice::from_ref(&old));
            assert!(said.contains(word) && said.contains("ssh-ed25519 AAAA2"), "{said}");
            assert!(said.ends_with(&format!("anteroom ca retire {}", old.id)), "{said}");
        }
    }

    #[test]
    fn the_first_authority_has_no_other_to_retire() {
        assert!(!after_rotation(&authority(Purpose::Person, 1), &[]).contains("anteroom ca retire"));
    }
}
