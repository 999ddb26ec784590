//! Lending the terminal to a key command, which may ask the user for a password.

use std::ops::ControlFlow;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::events::{Ended, Explorer};
use super::message::{Effect, Message};
use super::terminal::console::{Console, ConsoleEvent};
use super::terminal::input::Keyboard;
use crate::api::ClientSettings;
use crate::base::clock::Moment;
use crate::base::text::Safe;
use crate::safe;

/// The number of SIGINT, which ctrl-c sends if the terminal is not in raw mode.
const INTERRUPTED: u8 = 2;
/// An interrupt within this time after a key command failed was meant for the command.
const INTERRUPT: Duration = Duration::from_millis(100);
/// The time that an interrupted key command has to exit before it is killed.
const ENDING: Duration = Duration::from_millis(500);

impl<C: Console, I: Keyboard> Explorer<C, I> {
    /// Gets the connection to a workspace whose key command may prompt the user.
    pub(super) async fn connect_with_terminal(&mut self, at: usize) -> ControlFlow<Ended, Vec<Effect>> {
        self.workspaces.stop();
        let name = self.workspaces.asks(at).cloned().unwrap_or_default();
        let resolve = self.workspaces.resolve(at);
        let (resolved, mut effects) = self.lend_terminal(&name, resolve).await?;
        effects.extend(self.change_workspace(at, resolved));
        ControlFlow::Continue(effects)
    }

    /// Reads the key again after the API refused it, if it comes from a command that may prompt the user.
    pub(super) async fn renew_key(&mut self) -> ControlFlow<Ended, Vec<Effect>> {
        let Some((settings, renewal)) = self.fetch.api.as_ref().and_then(|api| Some((api, api.renewal.clone()?))) else {
            return ControlFlow::Continue(Vec::new());
        };
        if !renewal.asks {
            return ControlFlow::Continue(Vec::new());
        }
        let (settings, name) = (settings.clone(), self.app.session.workspace.profile.clone());
        let (read, mut effects) = self.lend_terminal(&name, async move { renewal.read().await }).await?;
        match read {
            Ok(key) if key == settings.key => {}
            Ok(key) => self.restart_fetch(ClientSettings { key, ..settings }, self.fetch.policy),
            Err(why) => effects.extend(self.app.update(Message::NotRenewed(why), Moment::now())),
        }
        ControlFlow::Continue(effects)
    }

    /// Releases the terminal to a key command until it exits.
    async fn lend_terminal<T>(
        &mut self,
        name: &Safe,
        command: impl Future<Output = Result<T, Safe>>,
    ) -> ControlFlow<Ended, (Result<T, Safe>, Vec<Effect>)> {
        self.input.pause().await;
        self.console.release(&safe!("hookscope: getting the key of {}; ctrl-c cancels", name));
        let answer = self.answer(command).await;
        self.console.retake(self.app.settings.mouse);
        self.input.resume();
        let effects = self.measured();
        ControlFlow::Continue((answer?, effects))
    }

    /// Waits for a key command to exit, or for an event that ends the command or the explorer first.
    async fn answer<T>(&mut self, command: impl Future<Output = Result<T, Safe>>) -> ControlFlow<Ended, Result<T, Safe>> {
        let mut command = pin!(command);
        let mut failed = None;
        loop {
            let event = tokio::select! {
                biased;
                event = self.console.event(false) => event,
                answer = &mut command, if failed.is_none() => match answer {
                    Ok(answer) => return ControlFlow::Continue(Ok(answer)),
                    Err(why) => {
                        failed = Some(why);
                        continue;
                    }
                },
                () = sleep(INTERRUPT), if failed.is_some() => return ControlFlow::Continue(Err(failed.unwrap_or_default())),
            };
            match event {
                // The signal reaches both the command and the explorer, but is meant for the command.
                ConsoleEvent::Signal(INTERRUPTED) => {
                    if failed.is_none() {
                        // Until it exits, it would receive keys that are meant for the explorer.
                        drop(timeout(ENDING, command).await);
                    }
                    return ControlFlow::Continue(Err(failed.unwrap_or_else(|| "the key command was stopped".into())));
                }
                ConsoleEvent::Signal(number) => return ControlFlow::Break(Ended::Signal(number)),
                ConsoleEvent::Vanished => return ControlFlow::Break(Ended::Vanished),
                ConsoleEvent::Panicked => return ControlFlow::Break(Ended::Panicked),
                // The command owns the terminal.
                ConsoleEvent::Stopping | ConsoleEvent::Continued | ConsoleEvent::Resized | ConsoleEvent::Free => {}
            }
        }
    }
}
