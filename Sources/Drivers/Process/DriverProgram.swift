// A driver that is a program: how it is started and what it says about itself.

internal import BackstopCore
internal import Glibc

/// Something that speaks the driver protocol on its standard input and output: a third party's program, or `ssh HOST pgbackstop serve`.
struct DriverProgram: Sendable {
    /// For messages: `driver 'tape'`.
    var name: String
    var command: [String]
    var patience: Channel.Patience
    var log: Log
    /// What to do about text on its standard output.
    var noiseHint = "print to standard error: standard output is for frames only."

    /// Starts it and asks who it is.
    func start() throws(BackupError) -> Conversation { try Conversation(self) }
}

/// A running driver: one request at a time.
final class Conversation: @unchecked Sendable {
    // Has a single owner at any time: the idle list or the request that took it.
    private var process: ChildProcess
    let channel: Channel
    let name: String
    private(set) var description = DriverDescription(name: "")

    init(_ program: DriverProgram) throws(BackupError) {
        process = try ChildProcess(program.command, .converse)
        name = program.name
        let log = program.log
        let name = program.name
        channel = Channel(
            input: process.output, output: process.input,
            diagnostics: DiagnosticLines(process.errors) { log.write(.detail, "\(name): \($0)") }, peer: name, patience: program.patience)
        channel.noiseHint = program.noiseHint
        channel.ending = { [unowned self] in process.end(within: .seconds(1)).map(endText) }
        let hello: JSON
        do throws(BackupError) {
            try channel.send(.call, Request.hello.call(["proto": .integer(protocolVersion)]))
            // It has nothing to do yet but to say who it is.
            hello = try answer(waiting: program.patience.transfer)
        } catch {
            throw Refusal.of(error) ?? error
        }
        description = try DriverDescription(wire: hello, from: name)
    }

    /// Sends a request and waits for its answer.
    func ask(_ call: JSON) throws(BackupError) -> JSON {
        try channel.send(.call, call)
        return try answer()
    }

    func answer(waiting: Duration? = nil) throws(BackupError) -> JSON {
        let header = try next("an answer", waiting: waiting)
        guard header.kind == .reply else { throw channel.unexpected(header, "an answer") }
        return try channel.json(header)
    }

    /// The next frame that is not a failure.
    func next(_ wanted: String, waiting: Duration? = nil) throws(BackupError) -> FrameHeader {
        guard let header = try channel.header(waiting: waiting ?? channel.patience.answer) else { throw channel.ended(wanted) }
        if header.kind == .failure { throw Refusal(error: BackupError(wire: try channel.json(header), from: name)).thrown }
        return header
    }

    /// The process, when it is alive.
    var livingProcess: Int32? { kill(process.process, 0) == 0 ? process.process : nil }

    /// Ends the process at once: whoever waits for its answer learns that it has gone.
    func endProcess() { process.kill() }

    /// Begins a put, or nothing, and breaks off. The conversation is of no use afterwards.
    func breakOff(put key: JSON?, _ bytes: [UInt8], by end: ProgramEnd, within limit: Duration) throws(BackupError) -> Int32? {
        if let key {
            try channel.send(.call, Request.put.call(["key": key, "options": PutOptions().wire]))
            try channel.sendData(bytes)
        }
        switch end {
        case .endOfInput: process.closeInput()
        case .kill: process.kill()
        }
        return process.end(within: limit)
    }

    /// Whether it is still there and has said nothing since its last answer.
    var isQuiet: Bool { channel.isQuiet }
}

/// An answer that says no: the conversation goes on after it, as it does not after an error of the conversation itself.
struct Refusal: Error {
    var error: BackupError

    var thrown: BackupError {
        var thrown = error
        thrown.cause = self
        return thrown
    }

    /// The error as the driver told it, when it did.
    static func of(_ error: BackupError) -> BackupError? { (error.cause as? Refusal)?.error }
}
