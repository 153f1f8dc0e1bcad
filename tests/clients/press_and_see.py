"""Presses a key on an X display and waits until a pixel changes: how long a person waits for what they asked for.

    press_and_see.py DISPLAY X Y KEY ROUNDS PAUSE_MS

One line a round: milliseconds, or "never" after five seconds. Nothing but the X libraries that the other tools bring.
"""
import ctypes
import ctypes.util
import sys
import time

GIVE_UP = 5.0
Z_PIXMAP = 2


def library(name, file):
    return ctypes.CDLL(ctypes.util.find_library(name) or file)


def main():
    display_name, x, y, key, rounds, pause = sys.argv[1], *map(str, sys.argv[2:7])
    x, y, rounds, pause = int(x), int(y), int(rounds), int(pause) / 1e3
    xlib, xtest = library("X11", "libX11.so.6"), library("Xtst", "libXtst.so.6")
    xlib.XOpenDisplay.restype = xlib.XGetImage.restype = ctypes.c_void_p
    xlib.XDefaultRootWindow.restype = xlib.XStringToKeysym.restype = xlib.XGetPixel.restype = ctypes.c_ulong
    xlib.XGetPixel.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
    xlib.XGetImage.argtypes = [ctypes.c_void_p, ctypes.c_ulong] + [ctypes.c_int] * 2 + [ctypes.c_uint] * 2 + [ctypes.c_ulong, ctypes.c_int]
    display = ctypes.c_void_p(xlib.XOpenDisplay(display_name.encode()))
    if not display:
        sys.exit(f"cannot open display {display_name}")
    root = xlib.XDefaultRootWindow(display)
    code = xlib.XKeysymToKeycode(display, ctypes.c_ulong(xlib.XStringToKeysym(key.encode())))

    def pixel():
        image = xlib.XGetImage(display, root, x, y, 1, 1, 0xFFFFFFFF, Z_PIXMAP)
        if not image:
            sys.exit("that pixel is not on the screen")
        value = xlib.XGetPixel(image, 0, 0)
        # XDestroyImage is a macro. An XImage begins with four ints, and the pointer to its pixels.
        xlib.XFree(ctypes.c_void_p(ctypes.cast(image + 16, ctypes.POINTER(ctypes.c_void_p))[0]))
        xlib.XFree(ctypes.c_void_p(image))
        return brightness(value)

    def brightness(value):
        # Lossy codecs move a colour by a few shades.
        return (value >> 8 & 0xFF) > 128

    xtest.XTestFakeMotionEvent(display, -1, x + 40, y + 200, 0)
    xlib.XSync(display, 0)
    for _ in range(rounds):
        time.sleep(pause)
        before, began = pixel(), time.monotonic()
        for down in (1, 0):
            xtest.XTestFakeKeyEvent(display, code, down, 0)
        xlib.XFlush(display)
        while pixel() == before and time.monotonic() - began < GIVE_UP:
            time.sleep(0.0005)
        took = time.monotonic() - began
        print(f"{took * 1e3:.2f}" if took < GIVE_UP else "never", flush=True)


main()
