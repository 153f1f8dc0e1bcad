use std::{io, net::Shutdown};
use tokio::net::TcpStream;

/// Cuts a connection whatever state its protocol is in: a peer that doesn't read can't hold a session open
/// beyond its end.
#[derive(Debug)]
pub struct Cutter(std::net::TcpStream);

impl Cutter {
    /// Takes the stream apart for a moment to keep a second handle to its socket.
    pub fn of(stream: TcpStream) -> io::Result<(TcpStream, Self)> {
        let std = stream.into_std()?;
        let second = std.try_clone()?;
        Ok((TcpStream::from_std(std)?, Self(second)))
    }

    pub fn cut(&self) {
        // Already closed is what we want.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        self.cut();
    }
}
