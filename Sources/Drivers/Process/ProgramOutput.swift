// What a program prints, for programs that are asked a question.

internal import BackstopCore
internal import Glibc

enum ProgramOutput {
    /// Runs the program (looked up in PATH) with its arguments and answers its standard output, up to 1 MiB. What it writes to standard
    /// error goes to ours. Fails when it ends with another status than 0, or not within `timeout`; it is ended then, with all that it started.
    static func read(_ command: [String], timeout: Duration) async throws(BackupError) -> String {
        let name = command.first ?? ""
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw BackupError(.execute, "unable to run '\(name)': \(systemMessage(errno))") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let output = ends[0]
        defer { close(output) }

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        // Signals that are blocked here, for the thread that waits for them, are none of its business.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        var process: pid_t = 0
        let status = posix_spawnp(&process, name, &actions, &attributes, &arguments, environ)
        for argument in arguments { free(argument) }
        posix_spawn_file_actions_destroy(&actions)
        posix_spawnattr_destroy(&attributes)
        close(ends[1])
        guard status == 0 else {
            throw BackupError(.execute, "unable to run '\(name)': \(systemMessage(status))", hint: "is the path of the program right?")
        }

        let end = ContinuousClock.now + timeout
        var code: Int32 = 0
        let text: String
        do throws(BackupError) {
            text = try read(output, name) { () throws(BackupError) in try mayGoOn(name, until: end, timeout) }
            // It may have closed its output and go on for ever.
            while true {
                let found = waitpid(process, &code, WNOHANG)
                if found == process || found < 0 && errno != EINTR { break }
                try mayGoOn(name, until: end, timeout)
                usleep(2_000)
            }
        } catch {
            kill(-process, SIGKILL)
            while waitpid(process, &code, 0) < 0 && errno == EINTR {}
            throw error
        }
        guard code == 0 else {
            throw BackupError(.execute, "'\(name)' ended with \(code & 0x7f == 0 ? "status \(code >> 8)" : "signal \(code & 0x7f)")")
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
