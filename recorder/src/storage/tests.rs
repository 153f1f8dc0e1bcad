//! Archives that are no file system, that lie, and that hang.
#![allow(clippy::unwrap_used)]
use super::{Archive, Storage, StorageOptions};
use crate::{common::*, *};
use bytes::Bytes;
use futures_util::stream::BoxStream;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result, memory::InMemory, path::Path as Key,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};

const HONEST: u8 = 0;
/// The first byte of what is uploaded comes to lie there as another one.
const LIES: u8 = 1;
const HANGS: u8 = 2;

/// Objects in memory, as a store behind a network has them: no directories, no links, no renaming.
#[derive(Debug, Clone)]
struct Store {
    objects: Arc<InMemory>,
    does: Arc<AtomicU8>,
}

impl std::fmt::Display for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a made-up store")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Store {
    async fn put_opts(&self, location: &Key, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        self.objects.put_opts(location, payload, opts).await
    }
    async fn put_multipart_opts(&self, location: &Key, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.objects.put_multipart_opts(location, opts).await
    }
    async fn get_opts(&self, location: &Key, options: GetOptions) -> Result<GetResult> {
        match self.does.load(Ordering::SeqCst) {
            HANGS => std::future::pending().await,
            LIES if location.as_ref().ends_with(".upload") => {
                let mut bytes = self.objects.get(location).await?.bytes().await?.to_vec();
                bytes[0] = 0;
                self.objects.put(location, Bytes::from(bytes).into()).await?;
            }
            _ => {}
        }
        self.objects.get_opts(location, options).await
    }
    fn delete_stream(&self, locations: BoxStream<'static, Result<Key>>) -> BoxStream<'static, Result<Key>> {
        self.objects.delete_stream(locations)
    }
    fn list(&self, prefix: Option<&Key>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.objects.list(prefix)
    }
    async fn list_with_delimiter(&self, prefix: Option<&Key>) -> Result<ListResult> {
        self.objects.list_with_delimiter(prefix).await
    }
    async fn copy_opts(&self, from: &Key, to: &Key, options: CopyOptions) -> Result<()> {
        self.objects.copy_opts(from, to, options).await
    }
}

struct Scene {
    lab: Lab,
    store: Store,
}

impl Scene {
    fn set() -> Self {
        Self { lab: lab(), store: Store { objects: Arc::default(), does: Arc::default() } }
    }
    fn storage(&self) -> Storage {
        let store = self.store.clone();
        let connect = Box::new(move || Ok(Arc::new(store.clone()) as Arc<dyn ObjectStore>));
        let archive = Archive::behind(connect, &self.lab.root(), Duration::from_millis(300)).unwrap();
        let options = StorageOptions { spool_limit: Some(1 << 30), min_free: Some(0), ..StorageOptions::default() };
        std::fs::create_dir_all(self.lab.root()).unwrap();
        Storage::with(self.lab.root(), &options, Some(archive)).unwrap()
    }
    fn recorder(&self) -> Recorder {
        Recorder::open_in(self.storage(), self.lab.options()).unwrap()
    }
    fn does(&self, what: u8) {
        self.store.does.store(what, Ordering::SeqCst);
    }
    fn local(&self, session: anteroom_domain::SessionId, name: &str) -> bool {
        self.lab.folder(session).join(name).exists()
    }
    async fn keys(&self) -> Vec<String> {
        let all = self.store.objects.list_with_delimiter(Some(&Key::from("2026/11"))).await.unwrap().common_prefixes;
        let mut keys = Vec::new();
        for session in all {
            keys.extend(self.store.objects.list_with_delimiter(Some(&session)).await.unwrap().objects.into_iter().map(|o| o.location));
        }
        keys.iter().filter_map(|k| k.filename().map(str::to_owned)).collect()
    }
}

async fn soon(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(20), "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_need_not_be_a_file_system() {
    let s = Scene::set();
    let recorder = s.recorder();
    let session = complete_session(&recorder).await;
    soon("it to be shipped", || !s.local(session, "sealed.0") && !s.local(session, "masked.0")).await;
    assert_eq!(s.keys().await, ["masked.0", "sealed.0"]);
    let replayer = Replayer::open(s.storage(), &s.lab.key_file()).unwrap();
    assert!(shown(&replayer, session, 0, Duration::ZERO).contains("after the resize"));
    recorder.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrived_as_other_bytes_gets_no_name_there_and_stays_here() {
    let s = Scene::set();
    s.does(LIES);
    let recorder = s.recorder();
    let session = complete_session(&recorder).await;
    soon("it to be tried", || recorder.storage().inner.spool.ready().is_empty() && recorder.storage().status().waiting_sessions == 1).await;
    recorder.shutdown().await;
    drop(recorder);
    assert!(s.local(session, "sealed.0") && !s.local(session, "sealed.0.shipped"));
    assert!(s.keys().await.is_empty(), "{:?}", s.keys().await);
    s.does(HONEST);
    let recorder = s.recorder();
    soon("it to be shipped", || !s.local(session, "sealed.0")).await;
    recorder.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_hangs_is_away_and_holds_up_no_session() {
    let s = Scene::set();
    let recorder = s.recorder();
    let first = complete_session(&recorder).await;
    soon("it to be shipped", || !s.local(first, "masked.0")).await;
    s.does(HANGS);
    let second = complete_session(&recorder).await;
    soon("it to be noticed", || recorder.storage().status().away.as_deref() == Some("it does not answer within 300ms")).await;
    let asked = Instant::now();
    let third = complete_session(&recorder).await;
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
    let e = Replayer::open(s.storage(), &s.lab.key_file()).unwrap().cast(first, 0, Duration::ZERO).err().unwrap().to_string();
    assert_eq!(e, "the recording cannot be read: the archive is away: it does not answer within 300ms");
    s.does(HONEST);
    soon("the rest to be shipped", || !s.local(second, "sealed.0") && !s.local(third, "sealed.0")).await;
    recorder.shutdown().await;
}
