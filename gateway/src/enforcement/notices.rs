use tokio::sync::broadcast;

/// Longest notice, characters.
const MAX: usize = 500;

/// Short texts for the terminals of one session: warnings before its end, messages of a supervisor.
#[derive(Debug, Clone)]
pub struct Notices(broadcast::Sender<String>);

#[derive(Debug)]
pub struct Listener(broadcast::Receiver<String>);

impl Default for Notices {
    fn default() -> Self {
        Self(broadcast::Sender::new(16))
    }
}

impl Notices {
    /// False if no channel is there to show it. Control characters don't pass: nothing said may act on a terminal.
    pub fn say(&self, text: &str) -> bool {
        let plain: String = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !c.is_control()).take(MAX).collect();
        self.0.send(plain).is_ok()
    }

    pub fn listen(&self) -> Listener {
        Listener(self.0.subscribe())
    }
}

impl Listener {
    /// The next one; waits for ever once nobody can say anything any more.
    pub async fn recv(&mut self) -> String {
        loop {
            match self.0.recv().await {
                Ok(text) => return text,
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_notice_cannot_act_on_a_terminal() {
        let n = Notices::default();
        assert!(!n.say("nobody listens"));
        let mut l = n.listen();
        assert!(n.say("hi\x1b]52;c;eA\x07\nthere"));
        assert_eq!(l.recv().await, "hi]52;c;eA there");
    }
}
