//! The `[recording.storage]` part: an archive, and how the recordings' disk is shared with it.
use super::{check::Checker, file};
use anteroom_recorder::{Storage, StorageOptions};
use std::{path::Path, time::Duration};
use toml::Spanned;
use url::Url;

/// How long what was shipped stays here too, if nothing is said: what people look at most is of the last day.
const KEEP: Duration = Duration::from_secs(24 * 3600);

impl Checker<'_> {
    pub(super) fn storage(&mut self, root: &Path, s: Option<&file::Storage>) -> Option<(Storage, StorageOptions)> {
        let Some(s) = s else { return Some((root.into(), StorageOptions::default())) };
        let options = StorageOptions {
            archive: s.url.as_ref().and_then(|u| self.url("recording.storage.url", u)),
            spool_limit: self.size("recording.storage.spool_limit", s.spool_limit.as_ref()),
            min_free: self.size("recording.storage.min_free", s.min_free.as_ref()),
            keep: self.duration("recording.storage.keep", s.keep.as_ref(), KEEP),
            cache_dir: s.cache_dir.as_ref().map(|d| self.path(d)),
            cache_limit: self.size("recording.storage.cache_limit", s.cache_limit.as_ref()),
        };
        let of_archive = [("spool_limit", &s.spool_limit), ("keep", &s.keep), ("cache_dir", &s.cache_dir), ("cache_limit", &s.cache_limit)];
        for (key, written) in of_archive.into_iter().filter(|_| s.url.is_none()) {
            if let Some(w) = written {
                self.wrong(&format!("recording.storage.{key}"), w, "says something about an archive, and there is no url");
            }
        }
        self.open_storage("recording.storage.url", root, &options, s.url.as_ref()).map(|storage| (storage, options))
    }

    pub(super) fn open_storage(
        &mut self,
        key: &str,
        root: &Path,
        options: &StorageOptions,
        at: Option<&Spanned<String>>,
    ) -> Option<Storage> {
        Storage::open(root, options)
            .map_err(|e| match at {
                Some(at) => self.wrong(key, at, e.to_string()),
                None => self.missing(key, &e.to_string()),
            })
            .ok()
    }

    pub(super) fn url(&mut self, key: &str, written: &Spanned<String>) -> Option<Url> {
        let url = written.get_ref().parse();
        url.map_err(|_| self.wrong(key, written, "not a URL like file:///mnt/archive")).ok()
    }

    pub(super) fn size(&mut self, key: &str, written: Option<&Spanned<String>>) -> Option<u64> {
        let w = written?;
        let size = parse_size(w.get_ref());
        if size.is_none() {
            self.wrong(key, w, "not a size like 500M, 20G or 1T");
        }
        size
    }
}

/// `64K`, `500M`, `20G`, `1T`: powers of 1024.
fn parse_size(s: &str) -> Option<u64> {
    let unit = s.chars().next_back()?;
    let n: u64 = s[..s.len() - unit.len_utf8()].parse().ok()?;
    let shift = match unit {
        'K' => 10,
        'M' => 20,
        'G' => 30,
        'T' => 40,
        _ => return None,
    };
    n.checked_mul(1 << shift).filter(|n| *n > 0)
}
