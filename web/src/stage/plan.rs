//! Where everything stands, as a function of the container's size and the number of replicas.
//!
//! Computed once a resize; the HTML takes positions from it as inline styles and the painters take
//! the same numbers, so that the layers of the drawing agree without measuring each other.
//! Invariants: nothing overlaps, nothing leaves the container. Absent on purpose: the window's
//! size, because the element may be a small figure in a large page.

use crate::format::Rounded;
use crate::state::View;

/// How much room there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Dial and cards side by side, links between them.
    Wide,
    /// One column: dial, cards.
    Tall,
    /// One column without a dial: the ruler takes its place.
    Phone,
    /// A card in somebody's page: the dial and nothing else.
    Card,
}

/// What the element is in its page; its own box decides, not the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fit {
    /// The page itself, or most of it.
    #[default]
    Page,
    /// A figure in an article: everything at once, in little height.
    Figure,
    /// A card: no more than the dial.
    Card,
    /// One of two drawings side by side in a page: its box says how high it is.
    Half,
}

impl Fit {
    /// The same for one of two that share its place.
    #[must_use]
    pub fn of_pair(self, pair: bool) -> Fit {
        match self {
            Fit::Page if pair => Fit::Half,
            _ if pair => Fit::Card,
            fit => fit,
        }
    }

    /// Reads the attribute `data-fit` of the element's frame.
    #[must_use]
    pub fn named(name: Option<&str>) -> Fit {
        match name {
            Some("figure") => Fit::Figure,
            Some("card") => Fit::Card,
            _ => Fit::Page,
        }
    }
}

/// How a replica is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// A card of four lines.
    Full,
    /// One line each.
    Rows,
    /// A grid of small tiles that scrolls.
    Tiles,
}

/// A rectangle in CSS pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

impl Rect {
    /// The position as an inline style.
    #[must_use]
    pub fn style(&self) -> String {
        format!(
            "left:{:.1}px;top:{:.1}px;width:{:.1}px;height:{:.1}px",
            Rounded(self.x),
            Rounded(self.y),
            Rounded(self.w),
            Rounded(self.h)
        )
    }
}

/// The dial's circle.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Circle {
    /// Centre.
    pub x: f64,
    /// Centre.
    pub y: f64,
    /// Outer radius of the track.
    pub rim: f64,
    /// Width of the track.
    pub track: f64,
}

/// The whole arrangement.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The kind of arrangement.
    pub shape: Shape,
    /// The size of the drawing.
    pub width: f64,
    /// Its height: in a column what it needs, else what it was given.
    pub height: f64,
    /// None on a phone, and while the memory is shown in its place.
    pub dial: Option<Circle>,
    /// The line above dial or memory: what is shown, and the button that changes it.
    pub title: Option<Rect>,
    /// Where the memory is shown as it is implemented.
    pub memory: Option<Rect>,
    /// There is no room for labels at the write head; the facts inside say the same.
    pub terse: bool,
    /// The ruler with its axes; none on a card.
    pub ruler: Option<Rect>,
    /// How replicas are shown.
    pub detail: Detail,
    /// The box of the cards.
    pub cards: Rect,
    /// The height of one card or row.
    pub card_height: f64,
    /// Between two cards.
    pub card_gap: f64,
    /// The bus from which the links leave, as x; only where links are drawn.
    pub bus: Option<f64>,
    /// How many replicas there are.
    pub replicas: usize,
}

/// The ruler: marks, bar, two axes.
pub const RULER_HEIGHT: f64 = 76.0;
/// Beside the ruler, for its zoom buttons.
pub const ZOOM_WIDTH: f64 = 60.0;
/// The line above the drawing.
const TITLE: f64 = 28.0;
/// In a column: where the memory begins, and how high it is.
const MEMORY_TOP: f64 = 46.0;
const MEMORY: f64 = 372.0;
/// Around everything.
const MARGIN: f64 = 16.0;
/// Outside the rim: fuse, scale, and the labels at the write head.
const LABELS: f64 = 58.0;

impl Plan {
    /// The arrangement for a container of this size.
    #[must_use]
    pub fn new(width: f64, height: f64, replicas: usize, fit: Fit, view: View) -> Plan {
        let width = width.max(120.0);
        match fit {
            Fit::Card => Plan::card(width, height.max(120.0), replicas),
            Fit::Half => Plan::half(width, height.max(348.0), replicas, view),
            Fit::Figure if width >= 360.0 => Plan::wide(width, height.max(200.0), replicas, view),
            Fit::Figure | Fit::Page if width < 480.0 => Plan::phone(width, replicas, view),
            Fit::Page if width < 640.0 => Plan::tall(width, replicas, view),
            Fit::Figure | Fit::Page => Plan::wide(width, height, replicas, view),
        }
    }

    fn wide(width: f64, height: f64, replicas: usize, view: View) -> Plan {
        let height = if height < 200.0 { (width * 0.56).clamp(320.0, 620.0) } else { height };
        let terse = width < 640.0 || height < 340.0;
        let ruler_top = height - RULER_HEIGHT - 4.0;
        let margin = if terse { 8.0 } else { MARGIN };
        // In a figure the title reaches over the cards; elsewhere it ends before them.
        let head = if terse { TITLE } else { 0.0 };
        let stack = ruler_top - 2.0 * margin - head;
        let detail = detail_for(replicas, stack);
        let (cards_width, links) = match (detail, terse) {
            (Detail::Tiles, _) => ((width * 0.36).clamp(170.0, 420.0), width * 0.06),
            (_, true) => ((width * 0.36).clamp(150.0, 236.0), (width * 0.1).clamp(36.0, 72.0)),
            (_, false) => ((width * 0.268).clamp(238.0, 300.0), (width * 0.11).clamp(80.0, 160.0)),
        };
        let room = width - cards_width - links - margin;
        // Labels stand beside the dial at its widest, above and below it at its highest.
        let (side, above, below) = match (terse, width < 800.0) {
            (true, _) => (47.0, 26.0, 18.0),
            // The title's two halves leave the middle to the label above the dial, or do not.
            (false, true) => (98.0, 94.0, 53.0),
            (false, false) => (98.0, 78.0, 53.0),
        };
        let rim = (room - 2.0 * side).min(ruler_top - above - below).max(80.0) / 2.0;
        let y = (above + ruler_top - below) / 2.0;
        // A little to the left: on the right the stub of the bus needs its room too.
        let x = (room - if terse { 10.0 } else { 20.0 }) / 2.0;
        let detail_room = metrics(detail, replicas, stack);
        let used = stack_height(detail, replicas, detail_room, stack);
        let cards_x = width - margin - cards_width;
        let bus = cards_x - links;
        let beside = if terse { width - margin } else { cards_x - 12.0 };
        let title = Rect { x: margin, y: 8.0, w: beside - margin, h: TITLE };
        let top = title.y + title.h + if terse { 2.0 } else { 10.0 };
        let room = bus - 24.0 - margin;
        let memory = Rect { x: margin, y: top, w: room, h: (ruler_top - top - 6.0).max(40.0) };
        Plan {
            shape: Shape::Wide,
            width,
            height,
            dial: (view == View::Dial).then(|| circle(x, y, rim)),
            title: Some(title),
            memory: (view == View::Memory).then_some(memory),
            terse,
            ruler: Some(ruler(width, ruler_top)),
            detail,
            cards: Rect { x: cards_x, y: (ruler_top + head - used) / 2.0, w: cards_width, h: used },
            card_height: detail_room.0,
            card_gap: detail_room.1,
            bus: Some(bus),
            replicas,
        }
    }

    fn tall(width: f64, replicas: usize, view: View) -> Plan {
        if view == View::Memory {
            return Plan::column(Shape::Tall, width, replicas, None, MEMORY_TOP + MEMORY + 8.0)
                .with_memory();
        }
        let rim = ((width - 200.0) / 2.0).clamp(80.0, 170.0);
        let top = LABELS + TITLE;
        let dial = circle(width / 2.0, top + rim, rim);
        let ruler_top = top + 2.0 * rim + LABELS + 4.0;
        Plan::column(Shape::Tall, width, replicas, Some(dial), ruler_top)
    }

    fn phone(width: f64, replicas: usize, view: View) -> Plan {
        if view == View::Memory {
            return Plan::column(Shape::Phone, width, replicas, None, MEMORY_TOP + MEMORY + 8.0)
                .with_memory();
        }
        // Above the ruler stand the master's facts, which elsewhere are inside the dial.
        Plan::column(Shape::Phone, width, replicas, None, 146.0)
    }

    /// From below: rows, the ruler, and in what is left the dial, if that is enough for one.
    fn half(width: f64, height: f64, replicas: usize, view: View) -> Plan {
        let (detail, row, gap) = match replicas {
            0..=4 => (Detail::Rows, 34.0, 4.0),
            _ => (Detail::Tiles, 0.0, 0.0),
        };
        let used = stack_height(detail, replicas, (row, gap), 140.0);
        let cards = Rect { x: 12.0, y: height - 12.0 - used, w: width - 24.0, h: used };
        let ruler_top = cards.y - RULER_HEIGHT - 8.0;
        let (above, below, side) = (46.0, 20.0, 50.0);
        let rim = (width - 2.0 * side).min(ruler_top - above - below) / 2.0;
        let dial = circle(width / 2.0, (above + ruler_top - below) / 2.0, rim);
        let top = TITLE + 14.0;
        let place = Rect { x: 12.0, y: top, w: width - 24.0, h: ruler_top - top - 6.0 };
        let round = view == View::Dial && rim >= 60.0;
        Plan {
            shape: if round { Shape::Tall } else { Shape::Phone },
            width,
            height,
            dial: round.then_some(dial),
            title: Some(Rect { x: 12.0, y: 8.0, w: width - 24.0, h: TITLE }),
            memory: (view == View::Memory).then_some(place),
            terse: true,
            ruler: Some(ruler(width, ruler_top)),
            detail,
            cards,
            card_height: row,
            card_gap: gap,
            bus: None,
            replicas,
        }
    }

    fn with_memory(self) -> Plan {
        let memory = Rect { x: MARGIN, y: MEMORY_TOP, w: self.width - 2.0 * MARGIN, h: MEMORY };
        Plan { memory: Some(memory), ..self }
    }

    fn column(
        shape: Shape,
        width: f64,
        replicas: usize,
        dial: Option<Circle>,
        ruler_top: f64,
    ) -> Plan {
        let detail = match replicas {
            0..=4 => Detail::Full,
            5..=8 => Detail::Rows,
            _ => Detail::Tiles,
        };
        let cards_top = ruler_top + RULER_HEIGHT + 12.0;
        let (card_height, card_gap) = match detail {
            Detail::Full => (104.0, 12.0),
            Detail::Rows => (40.0, 4.0),
            Detail::Tiles => (0.0, 0.0),
        };
        let stack = stack_height(detail, replicas, (card_height, card_gap), 340.0);
        Plan {
            shape,
            width,
            height: cards_top + stack + MARGIN,
            dial,
            title: Some(Rect { x: MARGIN, y: 8.0, w: width - 2.0 * MARGIN, h: TITLE }),
            memory: None,
            terse: false,
            ruler: Some(ruler(width, ruler_top)),
            detail,
            cards: Rect { x: MARGIN, y: cards_top, w: width - 2.0 * MARGIN, h: stack },
            card_height,
            card_gap,
            bus: None,
            replicas,
        }
    }

    fn card(width: f64, height: f64, replicas: usize) -> Plan {
        // Not even the scale has room; the fuse has.
        let rim = ((height - 64.0) / 2.0).min((width - 40.0) / 2.0).max(30.0);
        Plan {
            shape: Shape::Card,
            width,
            height,
            // Lower than the middle: the corner above is for a note.
            dial: Some(circle(width / 2.0, height / 2.0 + 10.0, rim)),
            title: None,
            memory: None,
            terse: true,
            ruler: None,
            detail: Detail::Tiles,
            cards: Rect::default(),
            card_height: 0.0,
            card_gap: 0.0,
            bus: None,
            replicas,
        }
    }

    /// The card of the `slot`th replica, where cards have fixed places.
    #[must_use]
    pub fn slot(&self, slot: usize) -> Option<Rect> {
        if self.detail == Detail::Tiles || slot >= self.replicas {
            return None;
        }
        let y = self.cards.y + (self.card_height + self.card_gap) * slot as f64;
        Some(Rect { x: self.cards.x, y, w: self.cards.w, h: self.card_height })
    }
}

fn circle(x: f64, y: f64, rim: f64) -> Circle {
    Circle { x, y, rim, track: (rim * 0.165).clamp(9.0, 34.0) }
}

fn ruler(width: f64, y: f64) -> Rect {
    Rect { x: MARGIN, y, w: width - 2.0 * MARGIN - ZOOM_WIDTH, h: RULER_HEIGHT }
}

fn detail_for(replicas: usize, room: f64) -> Detail {
    let n = replicas as f64;
    if replicas <= 4 && n * 92.0 <= room {
        Detail::Full
    } else if replicas <= 12 && n * 36.0 <= room {
        Detail::Rows
    } else {
        Detail::Tiles
    }
}

/// Height of one card and the gap below it.
fn metrics(detail: Detail, replicas: usize, room: f64) -> (f64, f64) {
    let n = replicas.max(1) as f64;
    match detail {
        Detail::Full => {
            let each = (room / n).min(140.0);
            let height = (each - 8.0).clamp(84.0, 104.0);
            (height, (each - height).clamp(8.0, 36.0))
        }
        Detail::Rows => {
            let each = (room / n).min(64.0);
            let height = (each - 6.0).clamp(30.0, 44.0);
            (height, (each - height).clamp(6.0, 20.0))
        }
        Detail::Tiles => (0.0, 0.0),
    }
}

fn stack_height(detail: Detail, replicas: usize, card: (f64, f64), room: f64) -> f64 {
    if detail == Detail::Tiles {
        return room;
    }
    let n = replicas as f64;
    (n * card.0 + (n - 1.0).max(0.0) * card.1).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(width: f64, height: f64, replicas: usize) -> Plan {
        Plan::new(width, height, replicas, Fit::Page, View::Dial)
    }

    #[test]
    fn the_page_of_the_picture_has_dial_links_cards_and_ruler_without_overlap() {
        let plan = page(908.0, 517.0, 3);
        let dial = plan.dial.unwrap();
        let bus = plan.bus.unwrap();
        assert_eq!((plan.shape, plan.detail), (Shape::Wide, Detail::Full));
        assert!(dial.rim > 150.0, "the dial is the first thing to see: {dial:?}");
        assert!(dial.x + dial.rim + 60.0 < bus && bus + 60.0 < plan.cards.x);
        assert!(dial.y + dial.rim + 30.0 < plan.ruler.unwrap().y);
    }

    #[test]
    fn no_container_makes_anything_leave_it() {
        for fit in [Fit::Page, Fit::Figure, Fit::Card, Fit::Half] {
            for width in [200, 360, 390, 460, 479, 480, 639, 640, 720, 800, 908, 1280, 2560] {
                for height in [0, 240, 310, 420, 517, 900] {
                    for replicas in [0, 1, 3, 4, 5, 9, 20, 100] {
                        for view in [View::Dial, View::Memory] {
                            let (width, height) = (f64::from(width), f64::from(height));
                            inside(&Plan::new(width, height, replicas, fit, view));
                        }
                    }
                }
            }
        }
    }

    fn inside(plan: &Plan) {
        let inside = |r: &Rect| {
            r.x >= 0.0 && r.y >= 0.0 && r.x + r.w <= plan.width && r.y + r.h <= plan.height
        };
        assert!(plan.ruler.as_ref().is_none_or(inside), "{plan:?}");
        assert!(inside(&plan.cards), "{plan:?}");
        assert!(plan.title.as_ref().is_none_or(inside), "{plan:?}");
        assert!(plan.memory.as_ref().is_none_or(inside), "{plan:?}");
        for slot in 0..plan.replicas {
            assert!(plan.slot(slot).as_ref().is_none_or(inside), "{plan:?}");
        }
        if let Some(c) = plan.dial {
            let bound = plan.bus.unwrap_or(plan.width);
            assert!(c.x - c.rim >= 0.0 && c.x + c.rim <= bound, "{plan:?}");
        }
    }

    #[test]
    fn many_replicas_become_rows_and_then_tiles() {
        let detail = |n| page(908.0, 517.0, n).detail;
        assert_eq!(detail(3), Detail::Full);
        assert_eq!(detail(4), Detail::Full);
        assert_eq!(detail(6), Detail::Rows);
        assert_eq!(detail(20), Detail::Tiles);
    }

    #[test]
    fn a_phone_has_the_ruler_in_place_of_the_dial() {
        let plan = page(390.0, 0.0, 3);
        assert_eq!(plan.shape, Shape::Phone);
        assert!(plan.dial.is_none() && plan.ruler.is_some());
    }

    #[test]
    fn the_memory_takes_the_place_of_the_dial_and_leaves_the_rest_where_it_was() {
        let (dial, memory) = (page(908.0, 517.0, 3), View::Memory);
        let memory = Plan::new(908.0, 517.0, 3, Fit::Page, memory);
        assert!(memory.dial.is_none() && dial.memory.is_none());
        assert_eq!((memory.cards, memory.ruler, memory.bus), (dial.cards, dial.ruler, dial.bus));
        let place = memory.memory.unwrap();
        assert!(place.w > 400.0 && place.h > 300.0, "{place:?}");
        assert!(place.x + place.w + 20.0 < memory.bus.unwrap());
    }

    #[test]
    fn a_small_card_keeps_the_dial() {
        let plan = Plan::new(200.0, 240.0, 3, Fit::Card, View::Dial);
        assert_eq!(plan.shape, Shape::Card);
        assert!(plan.dial.is_some() && plan.ruler.is_none());
    }
}
