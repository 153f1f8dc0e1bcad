//! Places in a picture.

/// A place in a picture, in pixels. May be empty; may lie outside of what it is used on, which then cuts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Rect {
    pub x: u16,
    pub y: u16,
    pub width: u16,
    pub height: u16,
}

impl Rect {
    pub const fn new(x: u16, y: u16, width: u16, height: u16) -> Self {
        Self { x, y, width, height }
    }

    /// From edges; right and bottom are the first that is not inside. Empty when they are not behind left and top.
    pub fn of_edges(left: u32, top: u32, right: u32, bottom: u32) -> Self {
        let cut = |value: u32| u16::try_from(value).unwrap_or(u16::MAX);
        Self { x: cut(left), y: cut(top), width: cut(right.saturating_sub(left)), height: cut(bottom.saturating_sub(top)) }
    }

    /// The first column that is not inside.
    pub const fn right(&self) -> u32 {
        self.x as u32 + self.width as u32
    }

    /// The first row that is not inside.
    pub const fn bottom(&self) -> u32 {
        self.y as u32 + self.height as u32
    }

    pub const fn is_empty(&self) -> bool {
        self.width == 0 || self.height == 0
    }

    pub const fn area(&self) -> usize {
        self.width as usize * self.height as usize
    }

    pub fn contains(&self, x: u16, y: u16) -> bool {
        x >= self.x && u32::from(x) < self.right() && y >= self.y && u32::from(y) < self.bottom()
    }

    /// Does all of `other` lie inside?
    pub fn covers(&self, other: &Self) -> bool {
        other.x >= self.x && other.y >= self.y && other.right() <= self.right() && other.bottom() <= self.bottom()
    }

    /// What lies in both; empty when nothing does.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let (left, top) = (self.x.max(other.x), self.y.max(other.y));
        Self::of_edges(u32::from(left), u32::from(top), self.right().min(other.right()), self.bottom().min(other.bottom()))
    }

    pub fn touches(&self, other: &Self) -> bool {
        !self.intersection(other).is_empty()
    }

    /// The smallest place around both. An empty one adds nothing.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        match (self.is_empty(), other.is_empty()) {
            (true, _) => *other,
            (_, true) => *self,
            _ => Self::of_edges(
                u32::from(self.x.min(other.x)),
                u32::from(self.y.min(other.y)),
                self.right().max(other.right()),
                self.bottom().max(other.bottom()),
            ),
        }
    }

    /// Larger by so many pixels to each side, as far as there are pixels with such numbers.
    #[must_use]
    pub fn padded(&self, horizontally: u16, vertically: u16) -> Self {
        Self::of_edges(
            u32::from(self.x.saturating_sub(horizontally)),
            u32::from(self.y.saturating_sub(vertically)),
            self.right() + u32::from(horizontally),
            self.bottom() + u32::from(vertically),
        )
    }
}
