//! tmux with panes side by side: lines are folded or cut by the border, what stands left has nothing to do with what stands right.

use super::pager::{bare, long_document};
use crate::{scene::Scene, t, text::Text};

const IDLE: &[&str] = &[
    "top - 10:12:44 up 41 days,  2:10,  3 users,  load average: 0.42, 0.31, 0.28",
    "Tasks: 212 total,   1 running, 211 sleeping",
    "%Cpu(s):  3.1 us,  1.0 sy, 95.8 id",
    "MiB Mem :  15926.1 total,   1211.0 free",
    "  812 postgres  20   0  412M  88M S  1.3",
    " 1044 mirth     20   0 4212M 1.2G S  0.7",
    "$ systemctl status ehr-app",
    "  Active: active (running) since Mon",
    "$ df -h /srv",
    "/dev/sdb1       200G   88G  112G  44% /srv",
    "$ ",
];

fn pane(s: &mut Scene, width: usize, height: usize, cut: bool) -> Vec<Text> {
    let mut rows = Vec::new();
    for line in long_document(s) {
        let line = bare(&line);
        if cut {
            rows.push(line.cut_off(width));
        } else {
            rows.extend(line.wrap(width));
        }
    }
    rows.truncate(height);
    rows
}

pub(super) fn tmux(s: &mut Scene) {
    s.command("tmux attach");
    let (cols, rows) = (s.cols, s.rows);
    let left = cols / 2 - s.within(0, 6) as usize;
    let right = cols - left - 1;
    let height = rows - 1;
    let cut = s.chance(50);
    let patients_left = s.chance(60);
    let both = s.chance(25);
    let (wide, narrow) = if patients_left { (left, right) } else { (right, left) };
    let main = pane(s, wide, height, cut);
    let other: Vec<Text> =
        if both { pane(s, narrow, height, cut) } else { IDLE.iter().map(|line| Text::from(*line).cut(narrow)).collect() };
    let (at_left, at_right) = if patients_left { (main, other) } else { (other, main) };
    s.control(&format!("\x1b[?1049h\x1b[22;0;0t\x1b[?1h\x1b=\x1b[H\x1b[2J\x1b[?12l\x1b[?25l\x1b[1;{rows}r"));
    for row in 0..height {
        s.goto(row + 1, 1);
        if let Some(line) = at_left.get(row) {
            s.say(line);
        }
        s.goto(row + 1, left + 1);
        s.say(t![Text::control(if row < height / 2 { "\x1b[32m" } else { "\x1b[39m" }), "│", Text::control("\x1b[39m")]);
        if let Some(line) = at_right.get(row) {
            s.say(line);
        }
    }
    let status = format!("[0] 0:psql* 1:bash-  {:>width$}", "\"ehr-db-2\" 10:12 12-Apr-25", width = cols.saturating_sub(23));
    s.goto(rows, 1);
    s.say(t![Text::control("\x1b[30m\x1b[42m"), Text::from(status).cut(cols), Text::control("\x1b(B\x1b[m")]);
    s.goto(height, 1);
    s.control("\x1b[?25h");
    s.pause(800);
    // Something is typed in the other pane.
    let (column, text) = if patients_left { (left + 2, "uptime") } else { (1, "uptime") };
    s.goto(height, column);
    s.control("\x1b[K");
    if !patients_left {
        // The border is not erased with the line.
        s.goto(height, left + 1);
        s.say("│");
        s.goto(height, column);
    }
    s.say("$ ");
    s.typed(&t![text]);
    s.pause(500);
    s.control("\x1b[?1049l\x1b[23;0;0t\x1b[?25h");
    s.line("[detached (from session 0)]");
}
