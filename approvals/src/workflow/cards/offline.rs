//! What a gateway keeps of its cards for the time when nobody can be asked.
use crate::{Approvals, StoreError, clock, store};
use anteroom_assertion::{CardOfficer, OfflineCard, Site};
use anteroom_domain::{GatewayName, content::CardContent};

impl Approvals {
    /// Where signatures have to have been given.
    pub fn site(&self) -> Site {
        let o = &self.inner.options;
        Site { rp_id: o.rp_id.clone(), origin: o.origin.origin().ascii_serialization() }
    }

    /// The cards that this gateway takes, now or later, with all that checking them needs. Asking also says that this gateway keeps cards:
    /// only for such a one can any be made. What is not what two officers signed is left out.
    pub async fn offline_cards(&self, gateway: &str) -> Result<Vec<OfflineCard>, StoreError> {
        let gateway = GatewayName::new(gateway).map_err(|_| StoreError::Damaged("card_gateway"))?;
        let (now, site) = (clock::now(), self.site());
        // One look: a card that is countersigned meanwhile is not said to be fetched.
        let mut tx = self.begin().await?;
        store::cards::fetched(&mut *tx, &gateway, now).await?;
        let mut cards = Vec::new();
        for found in store::cards::valid_of(&mut *tx, &gateway, now).await? {
            let id = found.terms.card;
            let card = self.offline(&mut tx, found).await?;
            match card.check_signatures(&site) {
                Ok(()) => cards.push(card),
                Err(e) => tracing::error!(card = %id, error = %e, "a break-glass card in the database is not what two officers signed"),
            }
        }
        self.commit(tx).await?;
        Ok(cards)
    }

    pub(super) async fn offline(&self, tx: &mut sqlx::PgConnection, found: store::cards::Signatures) -> Result<OfflineCard, StoreError> {
        const WHERE: StoreError = StoreError::Damaged("break_glass_card");
        let [(first, a), (second, b)] = found.signatures;
        let (a, b) = (store::evidence::by_id(&mut *tx, a).await?, store::evidence::by_id(&mut *tx, b).await?);
        // The name is the one they signed with; it may be another today.
        let named = |person, e: &crate::evidence::AssertionEvidence| {
            let handle = serde_json::from_str::<CardContent>(&e.content).ok()?.officer_handle;
            Some(CardOfficer { person, handle, credential_id: e.credential_id.clone(), key_sha256: e.key_sha256()? })
        };
        let officers = [named(first, &a).ok_or(WHERE)?, named(second, &b).ok_or(WHERE)?];
        Ok(OfflineCard { terms: found.terms, officers, signatures: [a, b] })
    }
}
