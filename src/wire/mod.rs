//! What travels on a link.
