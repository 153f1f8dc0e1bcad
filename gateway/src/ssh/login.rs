//! What the user name of an SSH connection asks for.

/// `ssh root@ehr-db-1@bastion` sends the user name `root@ehr-db-1`; `ssh bastion` sends the local user's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Login {
    /// No target named: show what may be reached.
    Menu,
    Target {
        account: String,
        target: String,
    },
}

impl Login {
    /// Splits at the last `@`: accounts of some directories hold none, target names never do. Both parts are
    /// judged later, in the same way whether they are malformed, unknown or forbidden.
    pub(super) fn parse(user: &str) -> Self {
        match user.rsplit_once('@') {
            Some((account, target)) => Self::Target { account: account.to_owned(), target: target.to_owned() },
            None => Self::Menu,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_name_names_account_and_target() {
        let t = |a: &str, t: &str| Login::Target { account: a.into(), target: t.into() };
        assert_eq!(Login::parse("root@ehr-db-1"), t("root", "ehr-db-1"));
        assert_eq!(Login::parse("a@b@c"), t("a@b", "c"));
        assert_eq!(Login::parse("@"), t("", ""));
        assert_eq!(Login::parse("ada"), Login::Menu);
        assert_eq!(Login::parse(""), Login::Menu);
    }
}
