//! Somebody drags the window's corner: the desktop takes the new size, and goes on being recorded.
use super::desktops::{AT_MOST, CT, Scene, TOLERANCE};
use anteroom_tests::harness::soon;

#[test]
fn a_desktop_takes_the_size_of_its_window() {
    let s = Scene::set();
    let (xrdp, _tap) = s.ct();
    let screen = &xrdp.desk.display;
    let grant = s.grant(CT, &xrdp.login.account, &[]);
    let mut client = s.connect(&grant, "client", &["/size:1024x768", "/dynamic-resolution"]);
    client.shows(screen, TOLERANCE, AT_MOST).unwrap();
    for (n, size) in [(1, (900, 700)), (2, (1100, 720))] {
        client.resize(size.0, size.1).unwrap();
        soon("the new size", || Ok(screen.size()? == size)).unwrap();
        client.shows(screen, TOLERANCE, AT_MOST).unwrap();
        client.type_line(&format!("size {n}")).unwrap();
        soon("the typed line", || Ok(xrdp.desk.typed().ends_with(&format!("size {n}\n")))).unwrap();
    }
    client.close().unwrap();
    let session = s.sealed();
    assert_eq!(session["recording"], "complete", "{session:#}");
}
