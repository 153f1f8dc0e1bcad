//! Showing words on the person's screen, and taking them away.
//!
//! Without the graphics pipeline they are bitmap updates over the target's picture, painted again when it painted over them, and taken away by asking
//! it to draw that part again. With it they are a surface of our own, so that the target's are not touched; what was under it is shown again by
//! copying the target's surface onto itself.

use super::{Relay, Stage};
use crate::{
    action::Action,
    channel::graphics::{OUR_FRAMES, command, put_command},
    notice::{BACK, Banner, INK, bitmap},
    violation::Side,
    wire::{
        Put as _,
        share::{self, SERVER_USER, kind},
        svc,
    },
};
use std::time::Duration;

/// Between two paintings of the same notice.
const AGAIN: Duration = Duration::from_millis(250);
/// GFX_PIXEL_FORMAT_XRGB_8888.
const XRGB: u8 = 0x20;

/// What is on the client's screen of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// Painted into the picture, so many pixels.
    Bitmap { width: u16, height: u16 },
    /// In a surface: which, the channel knows.
    Surface { width: u16, height: u16 },
}

#[derive(Debug, Default)]
pub(super) struct Notices {
    pause: Option<String>,
    said: Option<(String, Option<Duration>)>,
    /// What the words look like; made when they change.
    banner: Option<Banner>,
    made_for: Option<(String, (u16, u16))>,
    shown: Option<Shown>,
    /// The words changed, or something was painted over them.
    stale: bool,
    painted_at: Option<Duration>,
    /// Nothing of ours can come now; the target's next frame is the time to try again.
    blocked: bool,
    frame: u32,
}

impl Notices {
    pub(super) fn pause(&mut self, text: Option<&str>) {
        self.pause = text.filter(|t| !t.is_empty()).map(str::to_owned);
    }

    pub(super) fn say(&mut self, text: &str, until: Option<Duration>) {
        self.said = (!text.is_empty()).then(|| (text.to_owned(), until));
    }

    /// The target painted; `reset`: every surface is gone.
    pub(super) fn painted(&mut self, painted: bool, reset: bool) {
        self.stale |= painted;
        if reset && matches!(self.shown, Some(Shown::Surface { .. })) {
            self.shown = None;
        }
    }

    /// The picture begins anew: nothing of ours is in it. Surfaces stay until the target resets them.
    pub(super) fn forget(&mut self) {
        if matches!(self.shown, Some(Shown::Bitmap { .. })) {
            self.shown = None;
        }
        self.stale = true;
        self.painted_at = None;
    }

    /// When something has to happen.
    pub(super) fn next(&self) -> Option<Duration> {
        let over = self.said.as_ref().and_then(|(_, until)| *until);
        let again = self.painted_at.filter(|_| self.stale && self.shown.is_some() && !self.blocked).map(|at| at + AGAIN);
        [over, again].into_iter().flatten().min()
    }

    fn text(&mut self, now: Duration) -> Option<String> {
        if self.said.as_ref().is_some_and(|(_, until)| until.is_some_and(|u| now >= u)) {
            self.said = None;
        }
        let lines: Vec<&str> = [self.pause.as_deref(), self.said.as_ref().map(|(t, _)| t.as_str())].into_iter().flatten().collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }
}

impl Relay {
    /// Brings the client's screen to what the notices say now.
    pub(super) fn show(&mut self, now: Duration) {
        if self.stage != Stage::Active {
            return;
        }
        let wanted = self.notices.text(now).map(|text| (text, self.size));
        if wanted != self.notices.made_for {
            self.notices.blocked = !self.take_away();
            if self.notices.blocked {
                return;
            }
            self.notices.banner = wanted.as_ref().and_then(|(text, (w, h))| Banner::new(text, *w, *h));
            self.notices.made_for = wanted;
            self.notices.stale = true;
            self.notices.painted_at = None;
        }
        let due = self.notices.painted_at.is_none_or(|at| now >= at + AGAIN);
        if !self.notices.stale || !due {
            return;
        }
        let Some(banner) = self.notices.banner.take() else {
            self.notices.stale = false;
            return;
        };
        self.notices.blocked = !self.paint(&banner);
        if !self.notices.blocked {
            self.notices.stale = false;
            self.notices.painted_at = Some(now);
        }
        self.notices.banner = Some(banner);
    }

    /// Whether it could be done now.
    fn paint(&mut self, banner: &Banner) -> bool {
        // a target may agree on the pipeline and not use it (FreeRDP's shadow without H.264)
        if self.dynamic().is_some_and(|(_, d)| d.graphics.as_ref().is_some_and(|(_, g)| g.surfaces.values().any(|s| s.at.is_some()))) {
            return self.paint_surface(banner);
        }
        if self.fast_path_output && self.output.in_fragments() {
            return false;
        }
        for body in bitmap::updates(banner, self.depth) {
            if self.fast_path_output {
                self.actions.extend(bitmap::fast_path(&body).map(Action::ToClient));
            } else if let Some(share_id) = self.share_id {
                // xrdp as it comes: the same bytes in a Graphics Update PDU
                self.send(Side::Client, self.io, &share::data_pdu(share_id, SERVER_USER, kind::UPDATE, &body));
            }
        }
        self.notices.shown = Some(Shown::Bitmap { width: banner.width, height: banner.height });
        true
    }

    /// A surface of ours at the top left corner, filled with rectangles: no pixels travel.
    fn paint_surface(&mut self, banner: &Banner) -> bool {
        let Some((_, dynamic)) = self.dynamic() else { return false };
        let can_draw = dynamic.can_draw();
        let Some((_, graphics)) = &dynamic.graphics else { return false };
        let Some(free) = graphics.free_surface().filter(|_| can_draw) else { return false };
        let ours = graphics.ours;
        let mut out = Vec::new();
        let id = match ours {
            Some(id) => id,
            None => {
                let mut body = Vec::new();
                [free, banner.width, banner.height].into_iter().for_each(|n| body.put16(n));
                body.push(XRGB);
                put_command(&mut out, command::CREATE_SURFACE, &body);
                let mut body = Vec::new();
                [free, 0, 0, 0, 0, 0].into_iter().for_each(|n| body.put16(n));
                put_command(&mut out, command::MAP_TO_OUTPUT, &body);
                free
            }
        };
        let band = [(0, 0, banner.width, banner.height)];
        let ink: Vec<_> = banner.runs.iter().map(|r| (r.x, r.y, r.width, r.height)).collect();
        self.framed(&mut out, |out| {
            fill(out, id, BACK, &band);
            ink.chunks(4096).for_each(|ink| fill(out, id, INK, ink));
        });
        self.draw(&out, Some(id));
        self.notices.shown = Some(Shown::Surface { width: banner.width, height: banner.height });
        true
    }

    /// What is ours on the screen goes. Whether it could be done now.
    fn take_away(&mut self) -> bool {
        let (width, height) = match self.notices.shown {
            None => return true,
            Some(Shown::Bitmap { width, height }) => (width, height),
            Some(Shown::Surface { width, height }) => {
                let graphics = self.dynamic().map(|(_, d)| &*d).and_then(|d| d.graphics.as_ref().map(|(_, g)| (g, d.can_draw())));
                // the channel or the surface is gone, and the words with it
                let Some((graphics, can_draw)) = graphics else {
                    self.notices.shown = None;
                    return true;
                };
                let Some(id) = graphics.ours else {
                    self.notices.shown = None;
                    return true;
                };
                let under = under(graphics.surfaces.iter().map(|(id, s)| (*id, *s)), width, height);
                if !can_draw {
                    return false;
                }
                let mut out = Vec::new();
                put_command(&mut out, command::DELETE_SURFACE, &id.to_le_bytes());
                self.framed(&mut out, |out| under.iter().for_each(|body| put_command(out, command::SURFACE_TO_SURFACE, body)));
                self.draw(&out, None);
                (width, height)
            }
        };
        self.notices.shown = None;
        self.ask_to_draw(width, height);
        true
    }

    /// Refresh Rect (MS-RDPBCGR 2.2.11.2), or else Suppress Output off and on again (2.2.11.3).
    ///
    /// The edges are inclusive by the book and exclusive to FreeRDP's servers, so one point more than the band is asked for.
    fn ask_to_draw(&mut self, right: u16, bottom: u16) {
        if self.refresh {
            let mut body = vec![1, 0, 0, 0];
            [0, 0, right, bottom].into_iter().for_each(|n| body.put16(n));
            self.send_data(kind::REFRESH_RECT, &body);
        } else if self.suppress {
            self.send_data(kind::SUPPRESS_OUTPUT, &[0; 4]);
            let (w, h) = self.size;
            let mut body = vec![1, 0, 0, 0];
            [0, 0, w.saturating_sub(1), h.saturating_sub(1)].into_iter().for_each(|n| body.put16(n));
            self.send_data(kind::SUPPRESS_OUTPUT, &body);
        }
    }

    /// Commands within a frame of ours.
    fn framed(&mut self, out: &mut Vec<u8>, commands: impl FnOnce(&mut Vec<u8>)) {
        self.notices.frame = (self.notices.frame + 1) % (u32::MAX - OUR_FRAMES);
        let id = OUR_FRAMES + self.notices.frame;
        let mut body = Vec::new();
        body.put32(0); // no time stamp
        body.put32(id);
        put_command(out, command::START_FRAME, &body);
        commands(out);
        put_command(out, command::END_FRAME, &id.to_le_bytes());
    }

    /// `ours`: the surface that is there after it.
    fn draw(&mut self, commands: &[u8], ours: Option<u16>) {
        let Some((ids, dynamic)) = self.dynamic() else { return };
        if let Some((_, graphics)) = &mut dynamic.graphics {
            graphics.ours = ours;
        }
        for pdu in dynamic.draw(commands) {
            svc::chunks(&pdu).for_each(|c| self.send(Side::Client, ids, &c));
        }
    }
}

/// RDPGFX_SOLIDFILL_PDU; rectangles as x, y, width, height.
fn fill(out: &mut Vec<u8>, surface: u16, [blue, green, red]: [u8; 3], rectangles: &[(u16, u16, u16, u16)]) {
    let mut body = Vec::with_capacity(8 + rectangles.len() * 8);
    body.put16(surface);
    body.extend_from_slice(&[blue, green, red, 0xff]);
    body.put16(u16::try_from(rectangles.len()).unwrap_or(u16::MAX));
    for (x, y, w, h) in rectangles {
        [*x, *y, x + w, y + h].into_iter().for_each(|n| body.put16(n));
    }
    put_command(out, command::SOLID_FILL, &body);
}

/// RDPGFX_SURFACE_TO_SURFACE_PDU bodies that copy what is under a band at the top left corner onto itself.
fn under(surfaces: impl Iterator<Item = (u16, crate::channel::graphics::Surface)>, width: u16, height: u16) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    for (id, surface) in surfaces {
        let Some((x, y)) = surface.at else { continue };
        let visible = |at: u32, band: u16, side: u16| u32::from(band).saturating_sub(at).min(u32::from(side)).try_into().unwrap_or(0);
        let (right, bottom): (u16, u16) = (visible(x, width, surface.width), visible(y, height, surface.height));
        if right == 0 || bottom == 0 {
            continue;
        }
        let mut body = Vec::with_capacity(18);
        [id, id, 0, 0, right, bottom, 1, 0, 0].into_iter().for_each(|n| body.put16(n));
        out.push(body);
    }
    out
}
