//! Which server a process is: one of the two real ones, or ours as one of them.

use std::process::Command;

use crate::programs;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Redis,
    Valkey,
    OursAsRedis,
    OursAsValkey,
}

impl Kind {
    /// The program, with what makes it this kind.
    pub fn command(self) -> Command {
        match self {
            Kind::Redis => Command::new(programs::redis_server()),
            Kind::Valkey => Command::new(programs::valkey_server()),
            Kind::OursAsRedis | Kind::OursAsValkey => {
                let mut command = Command::new(programs::psync_server());
                command.args(["--engine", self.engine()]);
                command
            }
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Kind::Redis => "redis-server",
            Kind::Valkey => "valkey-server",
            Kind::OursAsRedis | Kind::OursAsValkey => "psync-server",
        }
    }

    /// Whose behaviour it shows, in our words.
    pub fn engine(self) -> &'static str {
        match self {
            Kind::Redis | Kind::OursAsRedis => "redis-7.0",
            Kind::Valkey | Kind::OursAsValkey => "valkey-9",
        }
    }

    /// INFO's field with its version. Valkey has `redis_version` too, for old clients.
    pub fn version_field(self) -> &'static str {
        match self.engine() {
            "valkey-9" => "valkey_version",
            _ => "redis_version",
        }
    }
}
