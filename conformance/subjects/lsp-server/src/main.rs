//! The fixture methods on lsp-server, the crate below rust-analyzer.
//!
//! Owns: the handlers and the loop. Frames, ids, the handshake and the books of what is in flight are the crate's own.

use std::collections::HashSet;
use std::error::Error;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{bounded, select, unbounded, Receiver, Sender};
use lsp_server::{
    Connection, ErrorCode, Message, Notification, ReqQueue, Request, RequestId, Response,
    ResponseError,
};
use serde_json::{json, Value};

const UNSUPPORTED_VERSION: i32 = -32017;

/// A handler's answer, or None where the answer comes later.
type Answer = Result<Option<Value>, ResponseError>;

fn refusal(code: i32, message: impl Into<String>, data: Option<Value>) -> ResponseError {
    ResponseError { code, message: message.into(), data }
}

fn invalid_params(message: &str) -> ResponseError {
    refusal(ErrorCode::InvalidParams as i32, message, None)
}

struct Fixture {
    sender: Sender<Message>,
    /// Of a request that came: what wakes its sleep. Of one that was sent: for which request.
    queue: ReqQueue<Option<Sender<()>>, RequestId>,
    /// Which requests have come and are not answered; the queue does not tell.
    open: HashSet<RequestId>,
    rested: Sender<RequestId>,
    values: Vec<Value>,
}

impl Fixture {
    fn send(&self, message: impl Into<Message>) {
        // The writer's thread is gone when nobody reads any more; the loop ends with its reader.
        let _ = self.sender.send(message.into());
    }

    /// Answers a request unless it was cancelled meanwhile.
    fn respond(&mut self, response: Response) {
        if self.queue.incoming.complete(&response.id).is_some() {
            self.open.remove(&response.id);
            self.send(response);
        }
    }

    fn handle_request(&mut self, request: Request) {
        let id = request.id.clone();
        self.queue.incoming.register(id.clone(), None);
        self.open.insert(id.clone());
        match self.answer(&id, &request.method, request.params) {
            Ok(None) => (),
            Ok(Some(result)) => self.respond(Response::new_ok(id, result)),
            Err(error) => self.respond(Response { id, response_result: Err(error) }),
        }
    }

    fn answer(&mut self, id: &RequestId, method: &str, params: Value) -> Answer {
        match method {
            "ping" => Ok(Some(Value::Null)),
            "initialize" => {
                Err(refusal(ErrorCode::InvalidRequest as i32, "initialize was sent before", None))
            }
            "conformance/echo" => Ok(Some(if params.is_null() { json!({}) } else { params })),
            "conformance/sleep" => self.sleep(id, &params),
            "conformance/fail" => {
                let message = "the handler failed";
                Err(refusal(ErrorCode::InternalError as i32, message, None))
            }
            "conformance/error" => Err(asked_error(&params)?),
            "conformance/repeat" => repeat(&params),
            "conformance/noted" => {
                Ok(Some(json!({ "values": std::mem::take(&mut self.values) })))
            }
            "conformance/call" => self.call(id, params),
            "conformance/notify" => {
                let (method, params) = method_and_params(params)?;
                self.send(Notification::new(method, params));
                Ok(Some(Value::Null))
            }
            _ => Err(refusal(ErrorCode::MethodNotFound as i32, "there is no such method", None)),
        }
    }

    fn sleep(&mut self, id: &RequestId, params: &Value) -> Answer {
        let millis = params["ms"].as_u64().ok_or_else(|| invalid_params("ms is a number"))?;
        let (wake, woken) = bounded::<()>(0);
        self.queue.incoming.register(id.clone(), Some(wake));
        let (id, rested) = (id.clone(), self.rested.clone());
        thread::spawn(move || {
            // What wakes it is the end of the channel, when the request is no longer in the books.
            let _ = woken.recv_timeout(Duration::from_millis(millis));
            let _ = rested.send(id);
        });
        Ok(None)
    }

    fn call(&mut self, id: &RequestId, params: Value) -> Answer {
        let (method, params) = method_and_params(params)?;
        let request = self.queue.outgoing.register(method, params, id.clone());
        self.send(request);
        Ok(None)
    }

    fn handle_response(&mut self, response: Response) {
        let Some(id) = self.queue.outgoing.complete(response.id) else { return };
        let told = match response.response_result {
            Ok(result) => json!({ "result": result }),
            Err(error) => json!({ "error": error }),
        };
        self.respond(Response::new_ok(id, told));
    }

    fn handle_notification(&mut self, notification: Notification) {
        let params = notification.params;
        match notification.method.as_str() {
            "$/cancelRequest" => {
                if let Ok(id) = serde_json::from_value(params["id"].clone()) {
                    self.cancel(id);
                }
            }
            "conformance/note" => self.values.push(params["value"].clone()),
            _ => (),
        }
    }

    fn cancel(&mut self, id: RequestId) {
        if let Some(response) = self.queue.incoming.cancel(id) {
            self.open.remove(&response.id);
            self.send(response);
        }
    }

    fn cancel_all(&mut self) {
        for id in std::mem::take(&mut self.open) {
            self.cancel(id);
        }
    }
}

fn asked_error(params: &Value) -> Result<ResponseError, ResponseError> {
    let code = params["code"].as_i64().and_then(|code| i32::try_from(code).ok());
    let code = code.ok_or_else(|| invalid_params("code is an integer of 32 bits"))?;
    let message = params["message"].as_str().ok_or_else(|| invalid_params("message is a string"))?;
    Ok(refusal(code, message, params.get("data").cloned()))
}

fn repeat(params: &Value) -> Answer {
    let text = params["text"].as_str().ok_or_else(|| invalid_params("text is a string"))?;
    let times = params["times"].as_u64().ok_or_else(|| invalid_params("times is a number"))?;
    Ok(Some(json!({ "text": text.repeat(times as usize) })))
}

fn method_and_params(mut params: Value) -> Result<(String, Value), ResponseError> {
    let method = params["method"].as_str().ok_or_else(|| invalid_params("method is a string"))?;
    let method = method.to_owned();
    Ok((method, params.get_mut("params").map_or_else(|| json!({}), Value::take)))
}

/// The host's version is refused, or taken. Until it is taken the crate refuses every other request.
fn initialize(connection: &Connection) -> Result<(), Box<dyn Error>> {
    loop {
        let (id, params) = connection.initialize_start()?;
        match check_version(&params) {
            Ok(()) => return Ok(connection.initialize_finish(id, description())?),
            Err(error) => {
                connection.sender.send(Response { id, response_result: Err(error) }.into())?
            }
        }
    }
}

fn check_version(params: &Value) -> Result<(), ResponseError> {
    let is_number = |part: &str| {
        matches!(part.len(), 1..=5)
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && (part == "0" || !part.starts_with('0'))
    };
    let version = params["protocolVersion"].as_str().and_then(|version| version.split_once('.'));
    match version {
        Some(("1", minor)) if is_number(minor) => Ok(()),
        Some((major, minor)) if is_number(major) && is_number(minor) => {
            let supported = json!({ "supported": ["1.0"] });
            Err(refusal(UNSUPPORTED_VERSION, "this plugin speaks version 1", Some(supported)))
        }
        _ => Err(invalid_params("protocolVersion is two numbers such as 1.0")),
    }
}

fn description() -> Value {
    let methods =
        ["echo", "sleep", "fail", "error", "repeat", "note", "noted", "call", "notify"];
    json!({
        "protocolVersion": "1.0",
        "plugin": { "name": "fixture-lsp-server", "version": "1.0.0" },
        "capabilities": { "concurrency": 16 },
        "provides": [{ "service": "conformance", "version": "1.0", "methods": methods }],
    })
}

/// Whether the host has said shutdown and exit, as against closing the stream.
fn serve(connection: &Connection) -> Result<bool, Box<dyn Error>> {
    initialize(connection)?;
    let (rested, wakings): (_, Receiver<RequestId>) = unbounded();
    let sender = connection.sender.clone();
    let (queue, open, values) = (ReqQueue::default(), HashSet::new(), Vec::new());
    let mut fixture = Fixture { sender, queue, open, rested, values };
    loop {
        select! {
            recv(connection.receiver) -> message => match message {
                Ok(Message::Request(request)) => {
                    if request.method == "shutdown" {
                        fixture.cancel_all();
                    }
                    if connection.handle_shutdown(&request)? {
                        return Ok(true);
                    }
                    fixture.handle_request(request);
                }
                Ok(Message::Response(response)) => fixture.handle_response(response),
                Ok(Message::Notification(note)) if note.method == "exit" => return Ok(false),
                Ok(Message::Notification(note)) => fixture.handle_notification(note),
                Err(_) => return Ok(false),
            },
            recv(wakings) -> id => fixture.respond(Response::new_ok(id?, Value::Null)),
        }
    }
}

fn main() -> ExitCode {
    let (connection, threads) = Connection::stdio();
    let served = serve(&connection);
    drop(connection);
    match served {
        Ok(said_goodbye) => {
            // A reader that has failed ends the loop like the end of the stream, and says why only here.
            match threads.join() {
                Ok(()) => ExitCode::from(u8::from(!said_goodbye)),
                Err(error) => {
                    eprintln!("fixture-lsp-server: {error}");
                    ExitCode::from(2)
                }
            }
        }
        Err(error) => {
            eprintln!("fixture-lsp-server: {error}");
            ExitCode::from(2)
        }
    }
}
