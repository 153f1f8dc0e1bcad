//! A device that has only telnet: reached through the gateway, its password seen by nobody.
use anteroom_tests::harness::World;
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, Sender, channel},
};

const PASSWORD: &str = "pump-Secret-77";
/// RFC 854, RFC 1073.
const DO_NAWS: [u8; 3] = [255, 253, 31];

/// A device's port, and each name and password it was given.
fn device() -> (u16, Receiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(stream), tell) = (stream, tell.clone()) else { return };
            std::thread::spawn(move || drop(serve(stream, &tell)));
        }
    });
    (port, told)
}

fn serve(mut s: TcpStream, tell: &Sender<(String, String)>) -> std::io::Result<()> {
    s.write_all(&DO_NAWS)?;
    s.write_all(b"\r\nPump 7\r\nlogin: ")?;
    let name = line(&mut s)?;
    s.write_all(b"Password: ")?;
    let password = line(&mut s)?;
    let good = name == "service" && password == PASSWORD;
    let _ = tell.send((name, password));
    if !good {
        return s.write_all(b"\r\nLogin incorrect\r\n");
    }
    s.write_all(b"\r\nWelcome\r\npump> ")?;
    loop {
        let words = line(&mut s)?;
        if words == "exit" {
            return s.write_all(b"bye\r\n");
        }
        write!(s, "\r\nit heard <{words}>\r\npump> ")?;
    }
}

/// What is typed up to the end of the line, without telnet's own words.
fn line(s: &mut TcpStream) -> std::io::Result<String> {
    let mut text = Vec::new();
    let mut byte = || -> std::io::Result<u8> {
        let mut b = [0];
        s.read_exact(&mut b)?;
        Ok(b[0])
    };
    loop {
        match byte()? {
            255 => match byte()? {
                250 => while !(byte()? == 255 && byte()? == 240) {},
                251..=254 => drop(byte()?),
                _ => {}
            },
            b'\n' | 0 => {}
            b'\r' => return Ok(String::from_utf8_lossy(&text).into_owned()),
            b => text.push(b),
        }
    }
}

#[test]
fn a_device_is_worked_with_and_its_password_never_shown() {
    let w = World::start().unwrap();
    let (port, told) = device();
    let port = port.to_string();
    let add = |more: &[&str]| {
        let words = ["target", "add", "pump-7", "--host", "127.0.0.1", "--port", &port, "--protocol", "telnet", "--kind", "medical-device"];
        w.cli.run(&[&words, more].concat()).unwrap()
    };
    let refused = add(&[]);
    assert!(refused.code != Some(0) && refused.stderr.contains("quarantine"), "{}", refused.said());
    add(&["--profile", "quarantine"]).good().unwrap();
    w.cli.good_with(&["target", "credential", "pump-7", "service", "--password"], format!("{PASSWORD}\n").as_bytes()).unwrap();

    let (ada, ben) = (w.admin("ada").unwrap(), w.person("ben", &["approver"]).unwrap());
    ben.approve(&ada.request("pump-7", "service").unwrap()).unwrap();
    let mut s = w.ssh(&ada).unwrap().login("service@pump-7").option("-tt").spawn().unwrap();
    s.expect("pump> ").unwrap();
    s.write("status\r").unwrap();
    s.expect("it heard <status>").unwrap();
    s.write("exit\r").unwrap();
    s.expect("bye").unwrap();
    let said = s.finish(std::time::Duration::from_secs(20)).unwrap().said();
    assert!(!said.contains(PASSWORD), "{said}");
    assert_eq!(told.recv().unwrap(), ("service".to_owned(), PASSWORD.to_owned()));
    let session = w.sealed_session().unwrap();
    assert_eq!(session["recording"], "complete", "{session:#}");
    assert!(!w.gateway_log().contains(PASSWORD));
}
