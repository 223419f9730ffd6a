//! A byte history and who may continue it.
