//! A private key in a PKCS#11 token (a smart card, an HSM, SoftHSM). The token computes the Diffie-Hellman value; the key never leaves it.
use super::{CustodyError, OpenError, Opener, Pkcs11Uri, Share, Wrapped};
use anteroom_domain::Secret;
use anteroom_format::{Curve, PublicKey, check_enc, open_agreed, prove};
use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::{Error, RvError},
    mechanism::{
        Mechanism,
        elliptic_curve::{EcKdf, Ecdh1DeriveParams},
    },
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::{Session, UserType},
    types::AuthPin,
};
use getrandom::rand_core::UnwrapErr;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};
use zeroize::Zeroizing;

/// The OID of P-256, DER (RFC 5480 section 2.1.1.1): what CKA_EC_PARAMS holds.
const P256_PARAMS: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// Modules that are loaded. A process initialises each once (PKCS #11 section 5.4) and keeps it.
static MODULES: Mutex<BTreeMap<PathBuf, Pkcs11>> = Mutex::new(BTreeMap::new());

/// A key in a token, found and tried.
#[derive(Debug)]
pub(super) struct TokenKey {
    uri: Pkcs11Uri,
    public: PublicKey,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Live(Live),
    /// Lost; the next use signs in again.
    Lost,
    /// The token refused the PIN. Trying again would lock it.
    PinRefused,
}

#[derive(Debug)]
struct Live {
    session: Session,
    key: ObjectHandle,
}

/// What went wrong with a token.
enum Trouble {
    /// The session is gone: a card was pulled, a network HSM restarted.
    Lost(Error),
    Pin(Error),
    Other(String),
}

impl TokenKey {
    /// Signs in, finds the key and its public half, and proves that they belong together.
    pub(super) fn open(uri: &Pkcs11Uri) -> Result<Self, CustodyError> {
        let failed = |t: Trouble| CustodyError::Token { token: uri.token_name(), why: t.to_string() };
        let token = connect(uri, false)?;
        let key = token.key(uri).map_err(failed)?;
        let public = token.public(uri, key).map_err(failed)?;
        Self::proven(uri, public, Live { session: token.session, key })
    }

    fn proven(uri: &Pkcs11Uri, public: PublicKey, live: Live) -> Result<Self, CustodyError> {
        let this = Self { uri: uri.clone(), public, state: Mutex::new(State::Live(live)) };
        let why = match prove(&this, &mut UnwrapErr(getrandom::SysRng)) {
            Ok(()) => return Ok(this),
            Err(OpenError::Refused) => "its public and its private key do not belong together".to_owned(),
            Err(OpenError::Away(why)) => why,
        };
        Err(CustodyError::Token { token: uri.token_name(), why })
    }

    /// One use of the key; a lost session is made anew, once.
    fn agree(&self, enc: &[u8]) -> Result<Secret<[u8; 32]>, String> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for attempt in 0..2 {
            if let State::Lost = *state {
                *state = self.reconnect()?;
            }
            match &*state {
                State::Live(live) => match live.agree(enc) {
                    Err(Trouble::Lost(_)) if attempt == 0 => *state = State::Lost,
                    Err(t) => return Err(t.to_string()),
                    Ok(dh) => return Ok(dh),
                },
                State::PinRefused => break,
                State::Lost => {}
            }
        }
        Err("the token refused the PIN; it is not tried again before a restart, because that would lock the token".into())
    }

    fn reconnect(&self) -> Result<State, String> {
        let token = match SignedIn::new(&self.uri, false) {
            Ok(token) => token,
            Err(Trouble::Pin(_)) => return Ok(State::PinRefused),
            Err(t) => return Err(t.to_string()),
        };
        let key = token.key(&self.uri).map_err(|t| t.to_string())?;
        if token.public(&self.uri, key).map_err(|t| t.to_string())? != self.public {
            return Err("it holds another key than before".into());
        }
        Ok(State::Live(Live { session: token.session, key }))
    }
}

impl Opener for TokenKey {
    fn public(&self) -> &PublicKey {
        &self.public
    }

    fn open(&self, wrapped: &Wrapped<'_>) -> Result<Share, OpenError> {
        check_enc(Curve::P256, wrapped.enc)?;
        let dh = self.agree(wrapped.enc).map_err(|why| OpenError::Away(format!("{}: {why}", self.uri.token_name())))?;
        open_agreed(&self.public, &dh, wrapped)
    }
}

/// Makes a P-256 key pair in the token, named as the address says; the private half can be used there and never be read.
pub fn generate(uri: &Pkcs11Uri) -> Result<PublicKey, CustodyError> {
    let failed = |t: Trouble| CustodyError::Token { token: uri.token_name(), why: t.to_string() };
    let label = uri.object.as_deref().ok_or_else(|| CustodyError::Uri("name the new key: object=LABEL".into()))?;
    let token = connect(uri, true)?;
    let taken = token.session.find_objects(&[Attribute::Label(label.as_bytes().to_vec())]).map_err(|e| failed(e.into()))?;
    if !taken.is_empty() {
        return Err(failed(Trouble::Other(format!("there is a key {label:?} already; nothing was made"))));
    }
    let id = match &uri.id {
        Some(id) => id.clone(),
        None => {
            let mut id = vec![0; 16];
            getrandom::fill(&mut id).map_err(|_| CustodyError::Random)?;
            id
        }
    };
    let named = |mut template: Vec<Attribute>| {
        let label = Attribute::Label(label.as_bytes().to_vec());
        template.extend([Attribute::Token(true), Attribute::Derive(true), label, Attribute::Id(id.clone())]);
        template
    };
    let public = named(vec![Attribute::Private(false), Attribute::EcParams(P256_PARAMS.to_vec())]);
    let private = named(vec![Attribute::Private(true), Attribute::Sensitive(true), Attribute::Extractable(false)]);
    let (_, key) = token.session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private).map_err(|e| failed(e.into()))?;
    let public = token.public(uri, key).map_err(failed)?;
    Ok(*TokenKey::proven(uri, public, Live { session: token.session, key })?.public())
}

fn connect(uri: &Pkcs11Uri, write: bool) -> Result<SignedIn, CustodyError> {
    uri.check()?;
    SignedIn::new(uri, write).map_err(|t| CustodyError::Token { token: uri.token_name(), why: t.to_string() })
}

/// A session with the token, signed in.
struct SignedIn {
    session: Session,
}

impl SignedIn {
    fn new(uri: &Pkcs11Uri, write: bool) -> Result<Self, Trouble> {
        let module = module(&uri.module)?;
        let mut found = Vec::new();
        for slot in module.get_slots_with_initialized_token()? {
            let info = module.get_token_info(slot)?;
            let fits = |wish: &Option<String>, is: &str| wish.as_ref().is_none_or(|w| w == is.trim_end());
            if fits(&uri.token, info.label()) && fits(&uri.serial, info.serial_number()) {
                found.push(slot);
            }
        }
        let slot = match found[..] {
            [slot] => slot,
            [] => return Err(Trouble::Other("no such token is present".into())),
            _ => return Err(Trouble::Other("more than one token is called so; name it by serial=NUMBER".into())),
        };
        let session = if write { module.open_rw_session(slot)? } else { module.open_ro_session(slot)? };
        let pin = uri.pin().map_err(|e| Trouble::Other(e.to_string()))?;
        match session.login(UserType::User, Some(&AuthPin::new(pin.as_str().into()))) {
            // Signing in is the application's, not the session's (PKCS #11 section 5.6.8): another session of ours did it.
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(Self { session }),
            Err(e @ Error::Pkcs11(RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange | RvError::PinLocked, _)) => {
                Err(Trouble::Pin(e))
            }
            Err(e) => Err(e.into()),
        }
    }

    fn key(&self, uri: &Pkcs11Uri) -> Result<ObjectHandle, Trouble> {
        let mut wanted = vec![Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::KeyType(KeyType::EC)];
        wanted.extend(uri.object.as_ref().map(|l| Attribute::Label(l.as_bytes().to_vec())));
        wanted.extend(uri.id.as_ref().map(|id| Attribute::Id(id.clone())));
        match self.session.find_objects(&wanted)?[..] {
            [key] => Ok(key),
            [] => Err(Trouble::Other("it holds no such elliptic curve key".into())),
            _ => Err(Trouble::Other("it holds more than one such key; name it by id=%01".into())),
        }
    }

    /// Of the public key object with the private key's id: tokens do not compute it.
    fn public(&self, uri: &Pkcs11Uri, key: ObjectHandle) -> Result<PublicKey, Trouble> {
        let mut wanted = vec![Attribute::Class(ObjectClass::PUBLIC_KEY), Attribute::KeyType(KeyType::EC)];
        for a in self.session.get_attributes(key, &[AttributeType::Id])? {
            if let Attribute::Id(id) = a
                && !id.is_empty()
            {
                wanted.push(Attribute::Id(id));
            }
        }
        if wanted.len() == 2 {
            wanted.extend(uri.object.as_ref().map(|l| Attribute::Label(l.as_bytes().to_vec())));
        }
        let [object] = self.session.find_objects(&wanted)?[..] else {
            return Err(Trouble::Other("its public half is not in the token exactly once (a public key object with the same id)".into()));
        };
        let mut point = None;
        for a in self.session.get_attributes(object, &[AttributeType::EcParams, AttributeType::EcPoint])? {
            match a {
                Attribute::EcParams(p) if p != P256_PARAMS => return Err(Trouble::Other("the key is of another curve than P-256".into())),
                Attribute::EcPoint(p) => point = Some(p),
                _ => {}
            }
        }
        let point = point.ok_or_else(|| Trouble::Other("the token does not show the public key".into()))?;
        // CKA_EC_POINT is a DER OCTET STRING (PKCS #11 section 6.3.3); some tokens leave the DER away.
        let point = if let [0x04, 65, inner @ ..] = &point[..] { inner } else { &point[..] };
        PublicKey::from_bytes(Curve::P256, point).map_err(|_| Trouble::Other("its public half is no point of P-256".into()))
    }
}

impl Live {
    /// ECDH (CKM_ECDH1_DERIVE with the null derivation function): the x coordinate, as RFC 9180 section 4.1 wants it.
    fn agree(&self, enc: &[u8]) -> Result<Secret<[u8; 32]>, Trouble> {
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::GENERIC_SECRET),
            Attribute::ValueLen(32.into()),
            Attribute::Token(false),
            Attribute::Sensitive(false),
            Attribute::Extractable(true),
        ];
        let mechanism = Mechanism::Ecdh1Derive(Ecdh1DeriveParams::new(EcKdf::null(), enc));
        let derived = self.session.derive_key(&mechanism, self.key, &template)?;
        let read = self.session.get_attributes(derived, &[AttributeType::Value]);
        // Session objects go with the session, but sessions are long.
        self.session.destroy_object(derived)?;
        for a in read? {
            if let Attribute::Value(value) = a {
                let value = Zeroizing::new(value);
                let dh: [u8; 32] =
                    value.as_slice().try_into().map_err(|_| Trouble::Other("it answered with a value of another length".into()))?;
                return Ok(Secret::new(dh));
            }
        }
        Err(Trouble::Other("it does not give the derived value away".into()))
    }
}

fn module(path: &Path) -> Result<Pkcs11, Trouble> {
    let mut loaded = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(module) = loaded.get(path) {
        return Ok(module.clone());
    }
    let module = Pkcs11::new(path).map_err(|e| Trouble::Other(format!("cannot load {}: {e}", path.display())))?;
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(e) => return Err(Trouble::Other(format!("{} does not start: {e}", path.display()))),
    }
    loaded.insert(path.to_owned(), module.clone());
    Ok(module)
}

impl From<Error> for Trouble {
    fn from(e: Error) -> Self {
        use RvError as R;
        match &e {
            Error::Pkcs11(
                R::SessionHandleInvalid
                | R::SessionClosed
                | R::DeviceRemoved
                | R::DeviceError
                | R::TokenNotPresent
                | R::UserNotLoggedIn
                | R::KeyHandleInvalid
                | R::ObjectHandleInvalid
                | R::CryptokiNotInitialized,
                _,
            ) => Self::Lost(e),
            _ => Self::Other(short(&e)),
        }
    }
}

/// The name of the error instead of the specification's paragraph about it.
fn short(e: &Error) -> String {
    match e {
        Error::Pkcs11(rv, function) => format!("{function} failed ({rv:?})"),
        e => e.to_string(),
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lost(e) => write!(f, "the token is away: {}", short(e)),
            Self::Pin(Error::Pkcs11(RvError::PinLocked, _)) => f.write_str("its PIN is locked"),
            Self::Pin(_) => f.write_str("it refuses the PIN"),
            Self::Other(why) => f.write_str(why),
        }
    }
}
