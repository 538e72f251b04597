// A codec of two programs: `xz = filter "xz -T1 -c" "xz -dc"` in plugins.conf.

public import BackstopCore
internal import Glibc

/// The codec `name`, with the suffix `.name`. Each stream is a process; its level is in the command line.
public func filterCodec(_ name: String, _ encode: [String], _ decode: [String]) -> CodecDriver {
    CodecDriver(name: name, suffix: ".\(name)", levels: 0...0, defaultLevel: 0) { (_, _) throws(BackupError) in
        Filter(encode: encode, decode: decode)
    }
}

private struct Filter: Codec {
    let encode: [String]
    let decode: [String]

    func encoder() throws(BackupError) -> any Transform { FilterTransform(encode, .execute) }
    func decoder() throws(BackupError) -> any Transform { FilterTransform(decode, .corrupt) }
}

/// A stream through a program. What it prints is the result only if it took everything and ended with status 0.
private final class FilterTransform: Transform {
    private let command: [String]
    /// Of a failure: the program's when encoding, the data's when decoding.
    private let code: BackupError.Code
    private var process: Running?
    private var isDone = false

    private static let patience = Duration.seconds(600)

    /// A started program. In a class of its own because an optional of a type that cannot be copied cannot be changed in place.
    private final class Running {
        var child: ChildProcess
        let errors: DiagnosticLines

        init(_ command: [String]) throws(BackupError) {
            child = try ChildProcess(command, .converse)
            errors = DiagnosticLines(child.errors) { _ in }
            for descriptor in [child.input, child.output] { _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) }
        }
    }

    init(_ command: [String], _ code: BackupError.Code) {
        self.command = command
        self.code = code
    }

    func reset() throws(BackupError) {
        process = nil
        isDone = false
    }

    func process(_ input: RawSpan, into out: inout OutputRawSpan, end: Bool) throws(BackupError) -> Progress {
        if isDone {
            guard input.isEmpty else { throw BackupError(code, "'\(command[0])' ended before it had taken everything") }
            return Progress(consumed: 0, done: true)
        }
        if out.freeCapacity == 0 || (input.isEmpty && !end) { return Progress(consumed: 0, done: false) }
        let running: Running
        if let process { running = process } else { running = try Running(command) }
        process = running
        let limit = ContinuousClock.now + Self.patience
        while true {
            let taken = try feed(running, input)
            if taken == input.byteCount, end { running.child.closeInput() }
            let given = try take(running, &out)
            if isDone {
                guard taken == input.byteCount, end else { throw BackupError(code, "'\(command[0])' ended before it had taken everything") }
                return Progress(consumed: taken, done: true)
            }
            if taken > 0 || given > 0 { return Progress(consumed: taken, done: false) }
            try wait(running, limit, feeds: !input.isEmpty)
        }
    }

    private func feed(_ running: Running, _ input: RawSpan) throws(BackupError) -> Int {
        guard !input.isEmpty else { return 0 }
        let count = input.withUnsafeBytes { write(running.child.input, $0.baseAddress, $0.count) }
        if count >= 0 { return count }
        switch errno {
        case EAGAIN, EINTR: return 0
        // Its end tells why.
        case EPIPE: throw try failure(running)
        default: throw BackupError(.execute, "unable to write to '\(command[0])': \(systemMessage(errno))")
        }
    }

    private func take(_ running: Running, _ out: inout OutputRawSpan) throws(BackupError) -> Int {
        var count = 0
        out.withUnsafeMutableBytes { buffer, initialized in
            count = read(running.child.output, buffer.baseAddress! + initialized, buffer.count - initialized)
            if count > 0 { initialized += count }
        }
        if count < 0 {
            guard errno == EAGAIN || errno == EINTR else {
                throw BackupError(.execute, "unable to read from '\(command[0])': \(systemMessage(errno))")
            }
            return 0
        }
        if count == 0 {
            guard try status(running) == 0 else { throw try failure(running) }
            isDone = true
        }
        return count
    }

    /// Waits for its end, which is near: it has closed a pipe.
    private func status(_ running: Running) throws(BackupError) -> Int32 {
        let limit = ContinuousClock.now + Self.patience
        while true {
            running.errors.read()
            if let status = running.child.poll() { return status }
            try Cancellation.check()
            guard ContinuousClock.now < limit else { throw BackupError(.execute, "'\(command[0])' does not end") }
            usleep(1_000)
        }
    }

    private func failure(_ running: Running) throws(BackupError) -> BackupError {
        let status = try status(running)
        running.errors.read()
        let how = status & 0x7f != 0 ? "was ended by signal \(status & 0x7f)" : "ended with status \(status >> 8)"
        let said = running.errors.last.isEmpty ? "" : ": " + running.errors.last.joined(separator: "\n")
        return BackupError(
            code, "'\(command.joined(separator: " "))' \(status == 0 ? "ended before it had taken everything" : how)\(said)",
            hint: "the program is named in plugins.conf.")
    }

    private func wait(_ running: Running, _ limit: ContinuousClock.Instant, feeds: Bool) throws(BackupError) {
        while true {
            try Cancellation.check()
            var waited = [pollfd(fd: running.child.output, events: Int16(POLLIN), revents: 0)]
            if feeds { waited.append(pollfd(fd: running.child.input, events: Int16(POLLOUT), revents: 0)) }
            if !running.errors.hasEnded { waited.append(pollfd(fd: running.errors.descriptor, events: Int16(POLLIN), revents: 0)) }
            let count = poll(&waited, nfds_t(waited.count), 100)
            running.errors.read()
            if count > 0, waited.prefix(feeds ? 2 : 1).contains(where: { $0.revents != 0 }) { return }
            guard ContinuousClock.now < limit else { throw BackupError(.execute, "'\(command[0])' does nothing for \(Self.patience)") }
        }
    }
}
