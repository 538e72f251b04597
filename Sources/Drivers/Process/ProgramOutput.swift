// What a program prints, for programs that are asked a question.

internal import BackstopCore
internal import Glibc

enum ProgramOutput {
    /// Runs the program (looked up in PATH) with its arguments and answers its standard output, up to 1 MiB. What it writes to standard
    /// error goes to ours. Fails when it ends with another status than 0, or not within `timeout`; it is ended then, with all that it started.
    static func read(_ command: [String], timeout: Duration) async throws(BackupError) -> String {
        let name = command.first ?? ""
        var process = try ChildProcess(command, .listen)
        let end = ContinuousClock.now + timeout
        let text = try read(process.output, name) { () throws(BackupError) in try mayGoOn(name, until: end, timeout) }
        // It may have closed its output and go on for ever.
        var code = process.poll()
        while code == nil {
            try mayGoOn(name, until: end, timeout)
            usleep(2_000)
            code = process.poll()
        }
        let status = code ?? 0
        guard status == 0 else {
            throw BackupError(.execute, "'\(name)' ended with \(endText(status))")
        }
        return text
    }

    private static func mayGoOn(_ name: String, until end: ContinuousClock.Instant, _ timeout: Duration) throws(BackupError) {
        try Cancellation.check()
        guard ContinuousClock.now < end else { throw BackupError(.execute, "'\(name)' does not end within \(timeout)") }
    }

    private static func read(
        _ output: Int32, _ name: String, _ mayGoOn: () throws(BackupError) -> Void
    ) throws(BackupError) -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            try mayGoOn()
            var ready = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
            guard poll(&ready, 1, 100) > 0 else { continue }
            let count = Glibc.read(output, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw BackupError(.execute, "unable to read what '\(name)' prints: \(systemMessage(errno))") }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
            guard bytes.count <= 1 << 20 else { throw BackupError(.execute, "'\(name)' prints too much") }
        }
    }
}
