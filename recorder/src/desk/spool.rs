//! What one session showed and clearing has not seen yet: in memory, then in an encrypted file, then only what stands on the screen now.
use super::{
    item::{Item, What},
    mosaic::Mosaic,
    vault::Vault,
};
use bytes::Bytes;
use std::{collections::VecDeque, io, path::PathBuf, time::Duration};

/// How much waits where, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SpoolLimits {
    pub(crate) memory: usize,
    pub(crate) file: u64,
}

impl Default for SpoolLimits {
    fn default() -> Self {
        Self { memory: 16 << 20, file: 1 << 30 }
    }
}

/// Plain bytes of a block of the file.
const BLOCK: usize = 256 << 10;
/// Bytes of texts that are kept while the file is full.
const CROWD_TEXT: usize = 4 << 20;

pub(crate) struct Spool {
    folder: PathBuf,
    limits: SpoolLimits,
    /// Read first.
    memory: VecDeque<Item>,
    memory_bytes: usize,
    /// Read when memory is empty.
    file: Option<Vault>,
    /// Plain bytes of the block that is being filled: read when the file is empty.
    tail: Vec<u8>,
    /// Read last.
    crowd: Crowd,
    broken: bool,
}

impl std::fmt::Debug for Spool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spool").field("waiting", &self.waiting()).finish_non_exhaustive()
    }
}

impl Spool {
    /// `folder` gets a file when memory is not enough.
    pub(crate) fn new(folder: PathBuf, limits: SpoolLimits) -> Self {
        Self {
            folder,
            limits,
            memory: VecDeque::new(),
            memory_bytes: 0,
            file: None,
            tail: Vec::new(),
            crowd: Crowd::default(),
            broken: false,
        }
    }

    /// Never fails: when neither memory nor disk has room, states of the picture that were followed by others are forgotten.
    pub(crate) fn push(&mut self, item: Item) {
        if !self.crowd.is_empty() {
            self.crowd.push(item);
        } else if self.spilled() == 0 && self.memory_bytes + item.cost() <= self.limits.memory {
            self.memory_bytes += item.cost();
            self.memory.push_back(item);
        } else if self.broken || self.spilled() >= self.limits.file {
            self.crowd.push(item);
        } else {
            self.spill(&item);
        }
    }

    fn spill(&mut self, item: &Item) {
        item.put(&mut self.tail);
        if self.tail.len() < BLOCK {
            return;
        }
        if let Err(e) = self.write_block() {
            // What is in the tail stays there and is read from there.
            tracing::warn!(error = %e, "what waits for clearing cannot be written to the disk");
            self.broken = true;
        }
    }

    fn write_block(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(Vault::create(&self.folder)?),
        };
        file.push(&self.tail)?;
        self.tail = Vec::new();
        Ok(())
    }

    pub(crate) fn peek(&mut self) -> io::Result<Option<&Item>> {
        if self.memory.is_empty() {
            self.refill()?;
        }
        Ok(self.memory.front())
    }

    pub(crate) fn pop(&mut self) -> io::Result<Option<Item>> {
        if self.memory.is_empty() {
            self.refill()?;
        }
        let item = self.memory.pop_front();
        self.memory_bytes -= item.as_ref().map_or(0, Item::cost);
        Ok(item)
    }

    fn refill(&mut self) -> io::Result<()> {
        let block = match self.file.as_mut().map(Vault::pop).transpose()?.flatten() {
            Some(block) => block,
            None => std::mem::take(&mut self.tail),
        };
        let mut rest = &block[..];
        while !rest.is_empty() {
            let changed = || io::Error::new(io::ErrorKind::InvalidData, "what waited for clearing makes no sense");
            let (item, behind) = Item::take(rest).ok_or_else(changed)?;
            self.memory_bytes += item.cost();
            self.memory.push_back(item);
            rest = behind;
        }
        // Not before half of the file was read: otherwise every second state would be kept, and it would be full for good.
        if self.spilled() <= self.limits.file / 2 {
            for item in self.crowd.drain() {
                if self.spilled() == 0 && self.memory_bytes < self.limits.memory {
                    self.memory_bytes += item.cost();
                    self.memory.push_back(item);
                } else {
                    self.spill(&item);
                }
            }
        }
        Ok(())
    }

    /// Nobody wants it any more.
    pub(crate) fn forget(&mut self) {
        *self = Self::new(std::mem::take(&mut self.folder), self.limits);
    }

    fn spilled(&self) -> u64 {
        self.file.as_ref().map_or(0, Vault::waiting) + self.tail.len() as u64
    }

    /// Bytes that clearing has not seen.
    pub(crate) fn waiting(&self) -> u64 {
        self.memory_bytes as u64 + self.spilled() + self.crowd.bytes as u64
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.memory.is_empty() && self.spilled() == 0 && self.crowd.is_empty()
    }
}

/// More than there is room for: of pictures the newest only.
#[derive(Default)]
struct Crowd {
    items: VecDeque<Kept>,
    bytes: usize,
    texts: usize,
    left_out: u64,
}

enum Kept {
    Item(Item),
    /// All that changed meanwhile.
    Picture {
        at: Duration,
        channel: u32,
        mosaic: Mosaic,
    },
}

impl Crowd {
    fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    fn push(&mut self, item: Item) {
        match &item.what {
            What::Tiles(batch) => {
                // The newest picture of the channel goes on; it is now as young as this item.
                let known = self.items.iter().rposition(|k| matches!(k, Kept::Picture { channel, .. } if *channel == item.channel));
                let before = known.and_then(|n| self.items.remove(n));
                let mut mosaic = match before {
                    Some(Kept::Picture { mosaic, .. }) => mosaic,
                    // Its first batch says the size.
                    _ => Mosaic::new(1, 1),
                };
                let bytes = mosaic.bytes();
                // Our own batches are good; another one shows nothing.
                let _ = mosaic.apply(batch);
                self.bytes = self.bytes + mosaic.bytes() - bytes;
                self.items.push_back(Kept::Picture { at: item.at, channel: item.channel, mosaic });
            }
            // Where the pointer was is worth nothing without what it pointed at.
            What::Pointer { .. } => {}
            What::Clipboard { .. } | What::Note(_) | What::Message(_) if self.texts + item.cost() > CROWD_TEXT => self.left_out += 1,
            What::Clipboard { .. } | What::Note(_) | What::Message(_) => {
                self.texts += item.cost();
                self.keep(item);
            }
            What::Open(_) | What::Size { .. } | What::Close => self.keep(item),
        }
    }

    fn keep(&mut self, item: Item) {
        self.bytes += item.cost();
        self.items.push_back(Kept::Item(item));
    }

    fn drain(&mut self) -> Vec<Item> {
        let Self { items, left_out, .. } = std::mem::take(self);
        let mut all = Vec::new();
        for kept in items {
            match kept {
                Kept::Item(item) => all.push(item),
                Kept::Picture { at, channel, mosaic } => {
                    let tiles = mosaic.batches().into_iter().map(|b| What::Tiles(Bytes::from(b)));
                    all.extend(tiles.map(|what| Item { at, channel, what }));
                }
            }
        }
        if let Some(last) = all.last().filter(|_| left_out > 0).map(|l| (l.at, l.channel)) {
            let what = What::Note(format!("{left_out} notes and clipboards are in the sealed track only: clearing was too far behind"));
            all.push(Item { at: last.0, channel: last.1, what });
        }
        all
    }
}
