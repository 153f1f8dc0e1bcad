use crate::{CanonicalText, PersonId, RequestId};
use serde::{Deserialize, Serialize};

/// What happens around requests beside asking and answering.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum RequestsEvent {
    /// Nobody answered in time.
    Expired {
        request: RequestId,
    },
    /// The text is with the request.
    Commented {
        request: RequestId,
        person: PersonId,
        comment_sha256: String,
    },
    /// `person` is away, `deputy` may fill their place.
    Absent {
        person: PersonId,
        deputy: PersonId,
        from: CanonicalText,
        until: CanonicalText,
    },
    Back {
        person: PersonId,
    },
    /// A request was refused because of how many there are; one line a minute and person at most.
    Throttled {
        person: PersonId,
        source: String,
    },
    /// Where this person is written to was changed.
    MailAddress {
        person: PersonId,
    },
    /// A notice could not be delivered and is not tried again.
    NoticeGivenUp {
        notice: String,
        channel: String,
        recipient: String,
    },
}
