//! Answers a target's login prompts from a vaulted credential.
//!
//! A prompt is a line that has ended in `login:` or its like and then stayed so. Whether it stays so is a matter of time (`Last login:` is a
//! prompt until the rest of the line comes), and time is the driver's: it calls [`Login::receive`] with whatever comes and [`Login::quiet`]
//! once nothing has come for [`SETTLE`]. How the bytes between two such moments were cut makes no difference.
use crate::plain::PlainLines;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a target is silent before its last line is taken as a question.
pub const SETTLE: Duration = Duration::from_millis(200);

/// A longer last line is text that happens to end like a prompt. In bytes.
const MAX_PROMPT: usize = 128;
/// A refusal is a short line; a longer one with the same words is a message of the day. In bytes.
const MAX_REFUSAL: usize = 64;

/// What the driver has to do next.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Step {
    /// Nothing is asked yet. The driver's time limit decides for how long.
    StillWaiting,
    /// Type this, the carriage return included, through [`crate::Telnet::send_secret`]. It must not be shown or recorded.
    Answer(Answer),
    /// The target has said something after the password that is no question: the rest is the person's.
    Passed,
    Failed(Failure),
}

/// Which prompt is answered, and the bytes for it.
#[derive(PartialEq, Eq)]
pub enum Answer {
    Account(Zeroizing<Vec<u8>>),
    Password(Zeroizing<Vec<u8>>),
}

impl Answer {
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Account(bytes) | Self::Password(bytes) => bytes,
        }
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Account(_) => "Account(..)",
            Self::Password(_) => "Password(..)",
        })
    }
}

/// Why the target did not let the account in. For the person and the audit: it holds nothing that the target sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("the target asked for the account a second time; check the account in the vault")]
    AccountAgain,
    #[error("the target asked for a password a second time; check the vaulted password, and whether the target wants a new one")]
    PasswordAgain,
    #[error("the target refused the login; check the vaulted account and password")]
    Refused,
}

/// Why a credential cannot be typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    #[error("the account holds a control character and cannot be typed at a prompt; correct it in the vault")]
    Account,
    #[error("the vaulted password holds a control character and cannot be typed at a prompt; store it again")]
    Password,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prompt {
    Account,
    Password,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Nothing,
    AccountGiven,
    PasswordGiven,
    Passed,
    Failed(Failure),
}

/// One login. Each prompt is answered once; the credential is dropped as soon as the login has passed or failed.
pub struct Login {
    account: String,
    password: Option<Zeroizing<String>>,
    stage: Stage,
    lines: PlainLines,
    /// Since the last answer: a line that is text and not an echo.
    said: bool,
    /// Since the last answer: a line that refuses.
    refused: bool,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("stage", &self.stage).finish_non_exhaustive()
    }
}

impl Login {
    /// # Errors
    /// If the account or the password holds a control character: it would be typed as a key.
    pub fn new(account: &str, password: Zeroizing<String>) -> Result<Self, CredentialError> {
        if account.chars().any(char::is_control) {
            return Err(CredentialError::Account);
        }
        if password.chars().any(char::is_control) {
            return Err(CredentialError::Password);
        }
        Ok(Self {
            account: account.to_owned(),
            password: Some(password),
            stage: Stage::Nothing,
            lines: PlainLines::new(),
            said: false,
            refused: false,
        })
    }

    /// Takes [`crate::Received::output`]; escape sequences in it are read past.
    pub fn receive(&mut self, output: &[u8]) {
        let (said, refused) = (&mut self.said, &mut self.refused);
        for &byte in output {
            self.lines.feed(byte, |line| {
                *said |= is_text(line);
                *refused |= is_refusal(line);
            });
        }
    }

    /// The target has been silent for [`SETTLE`]: what does it want?
    pub fn quiet(&mut self) -> Step {
        let line = self.lines.current();
        let prompt = prompt(&line);
        match (self.stage, prompt) {
            (Stage::Passed, _) => Step::Passed,
            (Stage::Failed(why), _) => Step::Failed(why),
            (Stage::Nothing, Some(Prompt::Account)) => {
                let answer = typed(&self.account);
                self.answered(Stage::AccountGiven);
                Step::Answer(Answer::Account(answer))
            }
            (Stage::Nothing | Stage::AccountGiven, Some(Prompt::Password)) => match self.password.take() {
                Some(password) => {
                    self.answered(Stage::PasswordGiven);
                    Step::Answer(Answer::Password(typed(&password)))
                }
                None => self.fail(Failure::PasswordAgain),
            },
            (Stage::AccountGiven | Stage::PasswordGiven, _) if self.refused || is_refusal(&line) => self.fail(Failure::Refused),
            (_, Some(Prompt::Account)) => self.fail(Failure::AccountAgain),
            (_, Some(Prompt::Password)) => self.fail(Failure::PasswordAgain),
            (Stage::PasswordGiven, None) if self.said || is_text(&line) => {
                self.stage = Stage::Passed;
                Step::Passed
            }
            (Stage::Nothing | Stage::AccountGiven | Stage::PasswordGiven, None) => Step::StillWaiting,
        }
    }

    fn answered(&mut self, stage: Stage) {
        self.stage = stage;
        self.lines = PlainLines::new();
        self.said = false;
        self.refused = false;
    }

    fn fail(&mut self, why: Failure) -> Step {
        self.password = None;
        self.stage = Stage::Failed(why);
        Step::Failed(why)
    }
}

fn typed(text: &str) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() + 1));
    bytes.extend_from_slice(text.as_bytes());
    bytes.push(b'\r');
    bytes
}

/// `line` is trimmed and in lower case.
fn prompt(line: &str) -> Option<Prompt> {
    if line.len() > MAX_PROMPT {
        return None;
    }
    let asks = |word: &str| line.strip_suffix(word).is_some_and(|before| !before.ends_with(char::is_alphanumeric));
    if ["password:", "passcode:"].into_iter().any(asks) || (line.starts_with("password for ") && line.ends_with(':')) {
        return Some(Prompt::Password);
    }
    // The line that greets after a login is no question even if its rest is slow.
    let greeting = line.ends_with("last login:");
    (!greeting && ["login:", "username:", "user name:", "account:"].into_iter().any(asks)).then_some(Prompt::Account)
}

fn is_refusal(line: &str) -> bool {
    line.len() <= MAX_REFUSAL && ["login incorrect", "access denied", "authentication failed"].iter().any(|words| line.contains(words))
}

/// Blank lines and the stars that some devices show for a password are no answer to it.
fn is_text(line: &str) -> bool {
    line.chars().any(|c| !c.is_whitespace() && c != '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login() -> Login {
        Login::new("service", Zeroizing::new("s3cret pass".to_owned())).unwrap()
    }

    fn step(login: &mut Login, output: &str) -> Step {
        login.receive(output.as_bytes());
        login.quiet()
    }

    fn answer(step: Step) -> String {
        match step {
            Step::Answer(answer) => String::from_utf8(answer.bytes().to_vec()).unwrap(),
            other => panic!("no answer but {other:?}"),
        }
    }

    fn at_password() -> Login {
        let mut login = login();
        assert_eq!(answer(step(&mut login, "login: ")), "service\r");
        assert_eq!(answer(step(&mut login, "service\r\nPassword: ")), "s3cret pass\r");
        login
    }

    #[test]
    fn each_prompt_is_answered_once_and_the_shell_is_the_persons() {
        let mut login = login();
        assert_eq!(step(&mut login, "\r\nAnalyzer 7\r\n"), Step::StillWaiting);
        assert_eq!(answer(step(&mut login, "\r\nanalyzer7 login: ")), "service\r");
        assert_eq!(login.quiet(), Step::StillWaiting, "the same prompt is not answered again");
        assert_eq!(step(&mut login, "service\r\n"), Step::StillWaiting);
        assert_eq!(answer(step(&mut login, "Password: ")), "s3cret pass\r");
        assert_eq!(step(&mut login, "\r\n"), Step::StillWaiting);
        assert_eq!(step(&mut login, "\r\n# "), Step::Passed);
        assert_eq!(step(&mut login, "login: "), Step::Passed, "what a person sees later is no business of this");
    }

    #[test]
    fn every_form_of_prompt_is_known_in_any_case() {
        for prompt in ["LOGIN:", "Username: ", "User Name:", "mri-3 Account: ", "\x1b[2J\x1b[5;5HLogin: \x1b[0m"] {
            assert_eq!(answer(step(&mut login(), prompt)), "service\r", "{prompt:?}");
        }
        for prompt in ["Password:", "PASSCODE: ", "service's password: ", "Password for service:"] {
            assert_eq!(answer(step(&mut login(), prompt)), "s3cret pass\r", "{prompt:?}");
        }
    }

    #[test]
    fn text_that_is_no_question_gets_nothing() {
        for text in ["login:\r\n", "Last login:", "relogin:", "password", "Enter login: name", "Password: is required"] {
            assert_eq!(step(&mut login(), text), Step::StillWaiting, "{text:?}");
        }
        let long = format!("{} login:", "x".repeat(200));
        assert_eq!(step(&mut login(), &long), Step::StillWaiting);
    }

    #[test]
    fn a_greeting_with_last_login_passes() {
        let mut login = at_password();
        assert_eq!(step(&mut login, "\r\nLast login: Tue from 10.0.0.1\r\n$ "), Step::Passed);
    }

    #[test]
    fn stars_for_the_password_are_no_answer() {
        let mut login = at_password();
        assert_eq!(step(&mut login, "***********\r\n"), Step::StillWaiting);
        assert_eq!(step(&mut login, "Access denied\r\n"), Step::Failed(Failure::Refused));
    }

    #[test]
    fn a_refusal_fails_however_it_is_said() {
        for (said, why) in [
            ("\r\nLogin incorrect\r\nlogin: ", Failure::Refused),
            ("\r\n% Access denied\r\n", Failure::Refused),
            ("\r\nError: Authentication failed.", Failure::Refused),
            ("\r\nlogin: ", Failure::AccountAgain),
            ("\r\nPassword: ", Failure::PasswordAgain),
            ("\r\nNew password: ", Failure::PasswordAgain),
        ] {
            let mut login = at_password();
            assert_eq!(step(&mut login, said), Step::Failed(why), "{said:?}");
            assert_eq!(step(&mut login, "$ "), Step::Failed(why), "it stays failed");
        }
    }

    #[test]
    fn a_second_account_prompt_before_the_password_fails() {
        let mut login = login();
        let _ = step(&mut login, "login: ");
        assert_eq!(step(&mut login, "\r\nlogin: "), Step::Failed(Failure::AccountAgain));
        assert!(login.password.is_none(), "it is not kept either");
        assert_eq!(step(&mut login, "Password: "), Step::Failed(Failure::AccountAgain), "the password is not given any more");
    }

    #[test]
    fn a_banner_that_threatens_does_not_refuse() {
        let mut login = login();
        assert_eq!(answer(step(&mut login, "Unauthorised access denied\r\nlogin: ")), "service\r");
        let mut login = at_password();
        let motd = "\r\nNotice to everybody on this device: unauthorised access denied by law and prosecuted\r\n# ";
        assert_eq!(step(&mut login, motd), Step::Passed);
    }

    #[test]
    fn a_banner_between_the_prompts_does_not_refuse() {
        let mut login = login();
        let _ = step(&mut login, "login: ");
        assert_eq!(answer(step(&mut login, "\r\nUnauthorised access denied\r\nPassword: ")), "s3cret pass\r");
    }

    #[test]
    fn no_secret_is_shown_by_debug() {
        let mut login = login();
        assert!(!format!("{login:?}").contains("s3cret"));
        let answer = step(&mut login, "Password: ");
        assert_eq!(format!("{answer:?}"), "Answer(Password(..))");
    }

    #[test]
    fn what_would_be_typed_as_keys_is_no_credential() {
        assert_eq!(Login::new("a\rb", Zeroizing::new(String::new())).unwrap_err(), CredentialError::Account);
        assert_eq!(Login::new("a", Zeroizing::new("x\ny".to_owned())).unwrap_err(), CredentialError::Password);
    }
}
