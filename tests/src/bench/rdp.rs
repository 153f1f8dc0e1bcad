//! A desktop through the gateway and directly, in one run: the same screen of the same FreeRDP shadow, seen by the same client.
//!
//! A round is a key pressed on the client's display, at which the target draws another page of words over its whole screen, until a pixel of the client's
//! window shows it.

