//! An SFTP server over a tree in memory that follows symbolic links as OpenSSH's does.
use super::{n, packet, s};
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
pub(crate) enum Node {
    Directory,
    File(Vec<u8>),
    Link(String),
    Device,
}

#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) tree: BTreeMap<String, Node>,
    handles: BTreeMap<u32, (String, u32)>,
    next: u32,
    begun: bool,
    /// Every path that OPEN got, and its flags.
    pub(crate) opened: Vec<(String, u32)>,
    pub(crate) asked: Vec<u8>,
    /// Files are this much larger when they are read than FSTAT said.
    pub(crate) grows: usize,
    /// A REALPATH that fails for what does not exist, as glibc's realpath does.
    pub(crate) strict_realpath: bool,
}

struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn u32(&mut self) -> u32 {
        let v = u32::from_be_bytes(self.0[..4].try_into().unwrap());
        self.0 = &self.0[4..];
        v
    }
    fn u64(&mut self) -> u64 {
        (u64::from(self.u32()) << 32) | u64::from(self.u32())
    }
    fn string(&mut self) -> Vec<u8> {
        let n = self.u32() as usize;
        let v = self.0[..n].to_vec();
        self.0 = &self.0[n..];
        v
    }
    fn text(&mut self) -> String {
        String::from_utf8_lossy(&self.string()).into_owned()
    }
}

fn status(id: u32, code: u32) -> Vec<u8> {
    packet(101, &[&n(id), &n(code), &s("target"), &s("")])
}

impl Target {
    pub(crate) fn new() -> Self {
        let dir = |p: &str| (p.to_owned(), Node::Directory);
        let file = |p: &str, c: &[u8]| (p.to_owned(), Node::File(c.to_vec()));
        let link = |p: &str, to: &str| (p.to_owned(), Node::Link(to.to_owned()));
        let tree = [
            dir("/"),
            dir("/var"),
            dir("/var/log"),
            dir("/var/log/app"),
            dir("/etc"),
            dir("/srv"),
            dir("/srv/in"),
            dir("/home"),
            dir("/home/me"),
            file("/var/log/a.log", b"a log"),
            file("/var/log/app/b.log", &[b'b'; 100]),
            file("/etc/shadow", b"secret"),
            file("/srv/in/old.hl7", b"old"),
            link("/var/log/escape", "/etc"),
            link("/var/log/shadow.log", "../../etc/shadow"),
            link("/var/log/here.log", "a.log"),
            link("/srv/in/out.hl7", "/etc/new"),
            ("/var/log/device".to_owned(), Node::Device),
        ];
        Self {
            tree: tree.into(),
            handles: BTreeMap::new(),
            next: 7,
            begun: false,
            opened: Vec::new(),
            asked: Vec::new(),
            grows: 0,
            strict_realpath: false,
        }
    }

    /// Answers to whole packets.
    pub(crate) fn serve(&mut self, mut bytes: &[u8]) -> Vec<u8> {
        let mut answers = Vec::new();
        while !bytes.is_empty() {
            let len = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
            answers.extend(self.answer(&bytes[4..4 + len]));
            bytes = &bytes[4 + len..];
        }
        answers
    }

    /// As OpenSSH's: links are followed, a last name that does not exist stays.
    pub(crate) fn resolve(&self, path: &str) -> Option<String> {
        let mut todo: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut at = if path.starts_with('/') { String::new() } else { "/home/me".to_owned() };
        let mut links = 0;
        while let Some(part) = todo.pop() {
            match part.as_str() {
                "" | "." => continue,
                ".." => at.truncate(at.rfind('/').unwrap_or(0)),
                name => {
                    let next = format!("{at}/{name}");
                    match self.tree.get(&next) {
                        Some(Node::Link(to)) => {
                            links += 1;
                            if links > 8 {
                                return None;
                            }
                            if to.starts_with('/') {
                                at.clear();
                            }
                            todo.extend(to.split('/').rev().map(str::to_owned));
                        }
                        Some(_) => at = next,
                        None if todo.is_empty() && !self.strict_realpath => at = next,
                        None => return None,
                    }
                }
            }
        }
        Some(if at.is_empty() { "/".to_owned() } else { at })
    }

    /// Follows links as open(2) does, whatever REALPATH is like.
    fn follow(&self, path: &str) -> String {
        let lenient = Self { tree: self.tree.clone(), strict_realpath: false, ..Self::new() };
        lenient.resolve(path).unwrap_or_else(|| path.to_owned())
    }

    fn attrs(&self, node: &Node) -> Vec<u8> {
        let (size, mode) = match node {
            Node::Directory => (0, 0o040_755),
            Node::File(c) => (c.len(), 0o100_644),
            Node::Link(_) => (0, 0o120_777),
            Node::Device => (0, 0o020_666),
        };
        [&n(5)[..], &(size as u64).to_be_bytes(), &n(mode)].concat()
    }

    fn stat(&self, id: u32, path: &str) -> Vec<u8> {
        match self.tree.get(path) {
            Some(node) => packet(105, &[&n(id), &self.attrs(node)]),
            None => status(id, 2),
        }
    }

    fn answer(&mut self, p: &[u8]) -> Vec<u8> {
        let mut f = Input(&p[1..]);
        let id = f.u32();
        self.asked.push(p[0]);
        if !self.begun {
            self.begun = true;
            assert_eq!((p[0], id), (1, 3));
            return packet(2, &[&n(3), &s("posix-rename@openssh.com"), &s("1"), &s("evil@example.com"), &s("1"), &s("copy-data"), &s("1")]);
        }
        match p[0] {
            3 => {
                let (path, flags) = (f.text(), f.u32());
                self.opened.push((path.clone(), flags));
                let real = self.follow(&path);
                if flags & 8 == 0 && !self.tree.contains_key(&real) {
                    return status(id, 2);
                }
                if flags & 16 != 0 || !self.tree.contains_key(&real) {
                    self.tree.insert(real.clone(), Node::File(Vec::new()));
                }
                self.handle(id, real, flags)
            }
            4 => {
                let h = f.string();
                let known = self.handles.remove(&u32::from_be_bytes(h.try_into().unwrap()));
                status(id, if known.is_some() { 0 } else { 4 })
            }
            5 => {
                let (path, _) = self.by_handle(&mut f);
                let (offset, len) = (f.u64() as usize, f.u32() as usize);
                let Some(Node::File(c)) = self.tree.get(&path) else { return status(id, 4) };
                let mut c = c.clone();
                c.resize(c.len() + self.grows, b'+');
                match c.get(offset..).filter(|r| !r.is_empty()) {
                    Some(rest) => packet(103, &[&n(id), &s(&rest[..len.min(rest.len())])]),
                    None => status(id, 1),
                }
            }
            6 => {
                let (path, flags) = self.by_handle(&mut f);
                let (offset, data) = (f.u64() as usize, f.string());
                let Some(Node::File(c)) = self.tree.get_mut(&path) else { return status(id, 4) };
                let offset = if flags & 4 != 0 { c.len() } else { offset };
                c.resize(c.len().max(offset + data.len()), 0);
                c[offset..offset + data.len()].copy_from_slice(&data);
                status(id, 0)
            }
            7 => {
                let path = f.text();
                self.stat(id, &path)
            }
            17 => {
                let real = self.follow(&f.text());
                self.stat(id, &real)
            }
            8 => {
                let (path, _) = self.by_handle(&mut f);
                self.stat(id, &path)
            }
            11 => {
                let real = self.follow(&f.text());
                if self.tree.contains_key(&real) { self.handle(id, real, 0) } else { status(id, 2) }
            }
            12 => status(id, 1),
            13 => {
                let known = self.tree.remove(&f.text());
                status(id, if known.is_some() { 0 } else { 2 })
            }
            14 => {
                self.tree.insert(f.text(), Node::Directory);
                status(id, 0)
            }
            16 => match self.resolve(&f.text()) {
                Some(path) => packet(104, &[&n(id), &n(1), &s(&path), &s(&path), &n(0)]),
                None => status(id, 2),
            },
            18 => self.rename(id, &mut f),
            20 => {
                let (to, link) = (f.text(), f.text());
                self.tree.insert(link, Node::Link(to));
                status(id, 0)
            }
            200 if f.text() == "posix-rename@openssh.com" => self.rename(id, &mut f),
            _ => status(id, 0),
        }
    }

    fn rename(&mut self, id: u32, f: &mut Input<'_>) -> Vec<u8> {
        let (from, to) = (f.text(), f.text());
        match self.tree.remove(&from) {
            Some(node) => {
                self.tree.insert(to, node);
                status(id, 0)
            }
            None => status(id, 2),
        }
    }

    fn handle(&mut self, id: u32, path: String, flags: u32) -> Vec<u8> {
        self.next += 1;
        self.handles.insert(self.next, (path, flags));
        packet(102, &[&n(id), &s(n(self.next))])
    }

    fn by_handle(&self, f: &mut Input<'_>) -> (String, u32) {
        let h = u32::from_be_bytes(f.string().try_into().unwrap());
        self.handles[&h].clone()
    }
}
