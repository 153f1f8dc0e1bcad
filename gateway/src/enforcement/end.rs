use anteroom_domain::EndReason;
use tokio::sync::watch;

/// Says once, to everybody who listens, that a session is over and why. The first reason wins.
#[derive(Debug, Clone)]
pub struct EndSignal(watch::Sender<Option<EndReason>>);

impl Default for EndSignal {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl EndSignal {
    /// Returns whether this call was the one that ended it.
    pub fn end(&self, reason: EndReason) -> bool {
        self.0.send_if_modified(|r| {
            let first = r.is_none();
            if first {
                *r = Some(reason);
            }
            first
        })
    }

    pub fn reason(&self) -> Option<EndReason> {
        self.0.borrow().clone()
    }

    /// Resolves when the session is over.
    pub async fn ended(&self) -> EndReason {
        let mut rx = self.0.subscribe();
        match rx.wait_for(Option::is_some).await {
            Ok(r) => r.clone().unwrap_or(EndReason::GatewayStopped),
            // Cannot happen while `self` holds the sender; a lost sender is an end all the same.
            Err(_) => EndReason::GatewayStopped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_reason_wins_and_everybody_hears_it() {
        let s = EndSignal::default();
        let other = s.clone();
        assert!(s.end(EndReason::GrantRevoked));
        assert!(!other.end(EndReason::ClientClosed));
        assert_eq!(other.ended().await, EndReason::GrantRevoked);
    }
}
