//! Paging: every list is searched and cut in the database.

/// Which part of a list; `number` counts from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    pub number: u32,
    pub size: u32,
}

/// Rows a page may have at most, whatever was asked.
const MAX_PAGE: u32 = 500;

impl Default for Page {
    fn default() -> Self {
        Self { number: 0, size: 50 }
    }
}

impl Page {
    pub(crate) fn limit(self) -> i64 {
        i64::from(self.size.clamp(1, MAX_PAGE))
    }
    pub(crate) fn offset(self) -> i64 {
        i64::from(self.number) * self.limit()
    }
}

/// One page of rows and how many there are in all.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Listing<T> {
    pub rows: Vec<T>,
    pub total: u64,
}

/// A LIKE pattern that finds `search` anywhere; its own wildcards are taken literally.
pub(crate) fn pattern(search: &str) -> String {
    let mut p = String::with_capacity(search.len() + 2);
    p.push('%');
    for c in search.trim().chars().take(200) {
        if matches!(c, '%' | '_' | '\\') {
            p.push('\\');
        }
        p.push(c);
    }
    p.push('%');
    p
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_for_a_percent_sign_finds_percent_signs() {
        assert_eq!(pattern(" 50%_ "), "%50\\%\\_%");
    }

    #[test]
    fn a_page_of_a_billion_rows_is_cut() {
        assert_eq!(Page { number: 2, size: u32::MAX }.offset(), 1000);
    }
}
