//! What the target sends.

use super::{Relay, Stage};
use crate::{
    action::{Action, Seen},
    caps,
    config::Ids,
    lobby,
    output::Output,
    violation::{Broken, Side},
    wire::{
        Put as _, Reader,
        frame::{self, Frame},
        mcs::{self, Mcs},
        share::{self, Io, SERVER_USER, kind, security},
    },
};
use bytes::Bytes;
use ironrdp_pdu::rdp::server_redirection::ServerRedirectionPdu;
use std::time::Duration;

/// E_ABORT: what a client says that has no other transport (MS-RDPBCGR 2.2.15.2).
const NO_TRANSPORT: u32 = 0x8000_4004;

impl Relay {
    pub(super) fn target_frame(&mut self, bytes: Bytes, _now: Duration) -> Result<(), Broken> {
        let pdu = match frame::open(&bytes)? {
            Frame::FastPath { first, body } => {
                if !self.demanded {
                    return Err(Broken("update before a share"));
                }
                let painted = self.output.fast_path(first, body)?;
                self.notices.painted(painted, false);
                self.actions.push_back(Action::ToClient(bytes));
                return Ok(());
            }
            Frame::Mcs(pdu) => pdu,
        };
        match mcs::decode(pdu, Side::Target)? {
            Mcs::AttachUserConfirm { user } if self.stage == Stage::Joins => {
                self.user = user.map(Ids::same);
                self.actions.push_back(Action::ToClient(bytes));
            }
            Mcs::JoinConfirm if self.stage == Stage::Joins => self.actions.push_back(Action::ToClient(bytes)),
            Mcs::Send { user, channel, data } => {
                if channel == self.io.target {
                    self.target_io(user, data, &bytes)?;
                } else if let Some(ids) = self.message.filter(|m| m.target == channel) {
                    self.target_message(ids, user, data, bytes.clone())?;
                } else if !self.channel(Side::Target, channel, user, data, bytes.clone())? {
                    return Err(Broken("unknown channel"));
                }
            }
            Mcs::Disconnect => {
                self.saw(Seen::TargetLeft);
                self.actions.push_back(Action::ToClient(bytes));
            }
            _ => return Err(Broken("MCS PDU out of turn")),
        }
        Ok(())
    }

    fn target_io(&mut self, user: u16, data: &[u8], frame: &Bytes) -> Result<(), Broken> {
        if !matches!(self.stage, Stage::Lobby | Stage::Connecting | Stage::Active) {
            return Err(Broken("PDU before Client Info"));
        }
        let pieces = share::pieces(data, !self.demanded)?;
        let alone = pieces.len() == 1;
        for piece in pieces {
            let (whole, passes) = match piece {
                Io::Secured { flags, body } => (data, self.target_secured(flags, body)?),
                Io::Control(c) => (c.whole, self.target_control(c)?),
            };
            match (passes, alone) {
                (true, true) => self.pass(Side::Target, self.io, user, data, frame.clone()),
                (true, false) => self.send(Side::Client, self.io, whole),
                (false, _) => {}
            }
        }
        Ok(())
    }

    /// What comes with a basic security header: licensing and auto-detection, until the share begins.
    fn target_secured(&mut self, flags: u16, body: &[u8]) -> Result<bool, Broken> {
        // The client in the lobby was licensed there, and the driver obtained the target's.
        let licence = flags & security::LICENSE != 0 && !self.demanded && self.stage != Stage::Lobby;
        if licence || flags & security::AUTODETECT_REQUEST != 0 {
            return Ok(true);
        }
        if flags & security::TRANSPORT_REQUEST != 0 {
            self.refuse_transport(self.io, body)?;
            return Ok(false);
        }
        // Standard Security only (MS-RDPBCGR 2.2.13.2), which is never negotiated
        Err(Broken("PDU with a security header"))
    }

    fn target_control(&mut self, pdu: share::Control<'_>) -> Result<bool, Broken> {
        match pdu.kind {
            share::DEMAND_ACTIVE => {
                let (body, learnt) = caps::demand(pdu.body)?;
                if self.stage == Stage::Lobby {
                    self.send(Side::Client, self.io, &share::control(share::DEACTIVATE_ALL, SERVER_USER, &lobby::deactivate()));
                }
                self.stage = Stage::Connecting;
                self.demanded = true;
                self.share_id = Some(learnt.share_id);
                self.fast_path_input = learnt.fast_path_input;
                (self.refresh, self.suppress) = (learnt.refresh, learnt.suppress);
                if learnt.width > 0 && learnt.height > 0 {
                    self.size = (learnt.width, learnt.height);
                }
                self.output = Output::default();
                self.send(Side::Client, self.io, &share::control(share::DEMAND_ACTIVE, SERVER_USER, &body));
                Ok(false)
            }
            share::DEACTIVATE_ALL => {
                self.stage = Stage::Connecting;
                self.held.release();
                Ok(true)
            }
            share::DATA => self.target_data(pdu.body),
            share::SERVER_REDIRECTION => {
                let redirection = redirection(pdu.body)?;
                self.saw(Seen::Redirect(Box::new(redirection)));
                Ok(false)
            }
            _ => Err(Broken("share control PDU out of turn")),
        }
    }

    /// Whether it passes.
    fn target_data(&mut self, body: &[u8]) -> Result<bool, Broken> {
        let pdu = share::data(body)?;
        match pdu.kind {
            kind::UPDATE => {
                Output::slow_path(pdu.body)?;
                self.notices.painted(true, false);
            }
            kind::FONT_MAP => {
                // MS-RDPBCGR 1.3.1.1: the last of the connection; the picture comes next
                self.stage = Stage::Active;
                let (width, height) = self.size;
                self.saw(Seen::Activated { width, height });
                self.notices.forget();
            }
            kind::SET_ERROR_INFO => {
                let code = Reader::new(pdu.body, "error info").u32()?;
                if code != 0 {
                    self.saw(Seen::ErrorInfo(code));
                }
            }
            kind::SAVE_SESSION_INFO => return self.session_info(pdu.share_id, pdu.body),
            kind::CONTROL
            | kind::POINTER
            | kind::SYNCHRONIZE
            | kind::PLAY_SOUND
            | kind::SHUTDOWN_DENIED
            | kind::KEYBOARD_INDICATORS
            | kind::KEYBOARD_IME
            | kind::AUTO_RECONNECT_STATUS
            | kind::STATUS_INFO
            | kind::MONITOR_LAYOUT => {}
            _ => return Err(Broken("unknown share data")),
        }
        Ok(true)
    }

    /// MS-RDPBCGR 2.2.10.1.1: 0 and 1 name the account, 2 names nobody, 3 has the cookie for reconnecting.
    fn session_info(&mut self, share_id: u32, body: &[u8]) -> Result<bool, Broken> {
        let kind = Reader::new(body, "session info").u32()?;
        match kind {
            0..=2 => self.saw(Seen::LogonDone),
            3 => return Ok(true),
            _ => return Err(Broken("unknown session info")),
        }
        if kind == 2 || !self.policy.hide_account {
            return Ok(true);
        }
        // a plain notice instead (2.2.10.1.1.3): 576 bytes of nothing
        let mut plain = Vec::with_capacity(580);
        plain.put32(2);
        plain.resize(580, 0);
        self.send(Side::Client, self.io, &share::data_pdu(share_id, SERVER_USER, kind::SAVE_SESSION_INFO, &plain));
        Ok(false)
    }

    fn target_message(&mut self, ids: Ids, user: u16, data: &[u8], frame: Bytes) -> Result<(), Broken> {
        match share::pieces(data, false)?.as_slice() {
            [Io::Secured { flags, .. }] if flags & (security::AUTODETECT_REQUEST | security::HEARTBEAT) != 0 => {
                self.pass(Side::Target, ids, user, data, frame);
            }
            [Io::Secured { flags, body }] if flags & security::TRANSPORT_REQUEST != 0 => self.refuse_transport(ids, body)?,
            _ => return Err(Broken("unknown PDU on the message channel")),
        }
        Ok(())
    }

    /// The client is not asked: what went beside this connection would be seen by nobody.
    fn refuse_transport(&mut self, ids: Ids, body: &[u8]) -> Result<(), Broken> {
        let request = Reader::new(body, "multitransport request").u32()?;
        let mut answer = Vec::with_capacity(12);
        answer.put16(security::TRANSPORT_RESPONSE);
        answer.put16(0);
        answer.put32(request);
        answer.put32(NO_TRANSPORT);
        self.send(Side::Target, ids, &answer);
        self.deny("transport beside this connection");
        Ok(())
    }
}

/// Enhanced Security Server Redirection (MS-RDPBCGR 2.2.13.3.1): two bytes of padding, the packet, maybe one byte more.
fn redirection(body: &[u8]) -> Result<ServerRedirectionPdu, Broken> {
    let packet = body.get(2..).ok_or(Broken("server redirection"))?;
    ironrdp_core::decode(packet).map_err(|_| Broken("server redirection"))
}
