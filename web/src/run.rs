//! The handle through which components look into the run, and the register of painters.
//!
//! A handle is a cheap clone; all clones of one element share one session. It is equal to another
//! handle when both belong to the same element *and* the same loaded scenario, so that a component
//! that takes it as a property is drawn anew after a load. Painters survive a load.

use std::cell::{Cell, Ref, RefCell, RefMut};
use std::rc::{Rc, Weak};

use crate::session::Session;
use crate::world::{BytesAt, Run, Snapshot, Trace};

/// What is painted on a canvas at each animation frame.
pub trait Painter {
    /// Paints the world as it is at `now_us`. The snapshot is of exactly that moment.
    ///
    /// Called for each frame while the element plays and can be seen, and once after each change
    /// or [`RunHandle::request_paint`] while it is paused.
    fn paint(&self, now_us: u64, snapshot: &Snapshot);
}

/// Keeps a painter registered; dropping it ends that.
#[must_use = "the painter is forgotten when this is dropped"]
pub struct PainterGuard {
    shared: Weak<Shared>,
    id: u64,
}

type Wake = Box<dyn Fn()>;

struct Shared {
    session: RefCell<Session>,
    painters: RefCell<Vec<Registered>>,
    next_painter: Cell<u64>,
    wake: RefCell<Option<Wake>>,
    zoomed: Cell<Option<(u64, u64)>>,
}

/// A painter, its number, and whether it paints the run beside.
type Registered = (u64, bool, Rc<dyn Painter>);

/// A look into the run of one element, or into the one beside it.
#[derive(Clone)]
pub struct RunHandle {
    shared: Rc<Shared>,
    generation: u64,
    /// The number of the run beside, where this is a look into that.
    beside: Option<u64>,
}

impl PartialEq for RunHandle {
    fn eq(&self, other: &RunHandle) -> bool {
        let same = (self.generation, self.beside) == (other.generation, other.beside);
        Rc::ptr_eq(&self.shared, &other.shared) && same
    }
}

impl RunHandle {
    /// A handle on a new session.
    #[must_use]
    pub fn new(session: Session) -> RunHandle {
        let generation = session.state().generation;
        RunHandle {
            shared: Rc::new(Shared {
                session: RefCell::new(session),
                painters: RefCell::default(),
                next_painter: Cell::new(0),
                wake: RefCell::new(None),
                zoomed: Cell::new(None),
            }),
            generation,
            beside: None,
        }
    }

    /// The same handle, renewed when another scenario has been loaded since.
    #[must_use]
    pub fn renewed(&self) -> RunHandle {
        let generation = self.session().state().generation;
        RunHandle { generation, ..self.clone() }
    }

    /// A handle on the run beside, by its number.
    #[must_use]
    pub fn beside(&self, number: u64) -> RunHandle {
        RunHandle { beside: Some(number), ..self.clone() }
    }

    /// The session, to read.
    #[must_use]
    pub fn session(&self) -> Ref<'_, Session> {
        self.shared.session.borrow()
    }

    /// The session, to change: for the element and its frame loop only.
    pub(crate) fn session_mut(&self) -> RefMut<'_, Session> {
        self.shared.session.borrow_mut()
    }

    /// Looks at the run itself.
    pub fn with<T>(&self, look: impl FnOnce(&Run) -> T) -> T {
        look(self.session().side(self.beside.is_some()))
    }

    /// Looks at the trace.
    pub fn with_trace<T>(&self, look: impl FnOnce(&Trace) -> T) -> T {
        self.with(|run| look(run.trace()))
    }

    /// The byte at `pos` on `server`, and the command it belongs to; none when it is not kept.
    #[must_use]
    pub fn bytes_at(&self, server: usize, pos: i64) -> Option<BytesAt> {
        self.with(|run| run.bytes_at(server, pos))
    }

    /// Registers a painter until the guard is dropped.
    pub fn register(&self, painter: Rc<dyn Painter>) -> PainterGuard {
        let id = self.shared.next_painter.get();
        self.shared.next_painter.set(id + 1);
        self.shared.painters.borrow_mut().push((id, self.beside.is_some(), painter));
        self.request_paint();
        PainterGuard { shared: Rc::downgrade(&self.shared), id }
    }

    /// Asks for one frame, such as after a canvas was resized; harmless when called often.
    pub fn request_paint(&self) {
        if let Some(wake) = &*self.shared.wake.borrow() {
            wake();
        }
    }

    /// The first and the last moment that the timeline shows, while it is zoomed.
    #[must_use]
    pub fn zoomed(&self) -> Option<(u64, u64)> {
        self.shared.zoomed.get()
    }

    /// What the timeline says of that.
    pub fn set_zoomed(&self, stretch: Option<(u64, u64)>) {
        self.shared.zoomed.set(stretch);
    }

    /// How the frame loop is woken.
    pub(crate) fn on_wake(&self, wake: impl Fn() + 'static) {
        *self.shared.wake.borrow_mut() = Some(Box::new(wake));
    }

    /// Forgets the frame loop: the element left the page.
    pub(crate) fn sleep(&self) {
        *self.shared.wake.borrow_mut() = None;
    }

    /// Lets every painter paint.
    pub(crate) fn paint(&self) {
        // Copies, because a painter may look into the session or drop its guard.
        let snapshot = Rc::clone(self.session().snapshot());
        let other = self.session().beside().map(|(snapshot, _)| Rc::clone(snapshot));
        let painters = self.shared.painters.borrow().clone();
        for (_, beside, painter) in painters {
            if let Some(snapshot) = Some(&snapshot).filter(|_| !beside).or(other.as_ref()) {
                painter.paint(snapshot.now_us, snapshot);
            }
        }
    }
}

impl Drop for PainterGuard {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.painters.borrow_mut().retain(|(id, ..)| *id != self.id);
        }
    }
}
