// A program that this one started.

internal import CSystem
internal import Glibc

/// What `waitpid` says of the end of a process, for people: `status 3`, `signal 9`.
public func endText(_ status: Int32) -> String {
    status & 0x7f == 0 ? "status \(status >> 8 & 0xff)" : "signal \(status & 0x7f)"
}

/// Why a program cannot be started, as far as that can be known. `exists`: whether there is a file of that name.
func startHint(_ number: Int32, exists: Bool) -> String? {
    switch number {
    case ENOENT: exists ? "the interpreter that its first line names (#!) does not exist." : "is the path of the program right?"
    case EACCES: "make it executable (chmod +x), and see that this user may pass the folders above it."
    case ENOEXEC: "it is no program: a script begins with #! and the path of its interpreter."
    default: nil
    }
}

/// Its pipes and its end. The process and all that it starts are one group, which is ended when the value goes.
public struct ChildProcess: ~Copyable {
    /// How its standard input and error are connected; its output always comes here.
    public enum Talk: Sendable {
        /// No input, and errors go where ours go.
        case listen
        /// Both ways, and errors come here too.
        case converse
    }

    /// Its number, and that of its group.
    public let process: Int32
    /// -1 when not connected, or not any more.
    public private(set) var input: Int32
    /// Descriptors of this process: the child's standard output and error.
    public let output: Int32
    /// -1 with `.listen`.
    public let errors: Int32
    private var status: Int32?

    /// `command`: the program, looked up in PATH, and its arguments.
    public init(_ command: [String], _ talk: Talk) throws(BackupError) {
        let name = command.first ?? ""
        var pipes: [(read: Int32, write: Int32)] = []
        func failed(_ number: Int32, hint: String? = nil) -> BackupError {
            for pipe in pipes {
                close(pipe.read)
                close(pipe.write)
            }
            return BackupError(.execute, "unable to run '\(name)': \(systemMessage(number))", hint: hint)
        }
        for _ in 0..<(talk == .listen ? 1 : 3) {
            var ends: [Int32] = [-1, -1]
            guard backstop_pipe(&ends) == 0 else { throw failed(errno) }
            pipes.append((ends[0], ends[1]))
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, pipes[0].write, 1)
        if talk == .listen {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        } else {
            posix_spawn_file_actions_adddup2(&actions, pipes[1].read, 0)
            posix_spawn_file_actions_adddup2(&actions, pipes[2].write, 2)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Signals that are blocked here, for the thread that waits for them, are none of its business, nor is that PIPE is ignored.
        var none = sigset_t()
        sigemptyset(&none)
        var usual = sigset_t()
        sigemptyset(&usual)
        sigaddset(&usual, SIGPIPE)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &usual)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_RESETIDS))
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { $0.withSystemName { strdup($0) } } + [nil]
        var process: pid_t = 0
        let status = posix_spawnp(&process, name, &actions, &attributes, &arguments, environ)
        for argument in arguments { free(argument) }
        guard status == 0 else { throw failed(status, hint: startHint(status, exists: access(name, F_OK) == 0)) }
        close(pipes[0].write)
        if talk == .converse {
            close(pipes[1].read)
            close(pipes[2].write)
        }
        self.process = process
        output = pipes[0].read
        input = talk == .listen ? -1 : pipes[1].write
        errors = talk == .listen ? -1 : pipes[2].read
    }

    /// Its exit status as of `waitpid` once it has ended, nil while it runs.
    public mutating func poll() -> Int32? {
        if status != nil { return status }
        var code: Int32 = 0
        let found = waitpid(process, &code, WNOHANG)
        if found == process { status = code }
        // Somebody else has waited for it.
        if found < 0 && errno != EINTR { status = 0 }
        return status
    }

    /// Waits for its end; nil when it has not come within `limit`.
    public mutating func end(within limit: Duration) -> Int32? {
        let latest = ContinuousClock.now + limit
        while true {
            if let code = poll() { return code }
            guard ContinuousClock.now < latest else { return nil }
            usleep(2_000)
        }
    }

    /// Ends it and all that it started, at once.
    public func kill() { if status == nil { _ = Glibc.kill(-process, SIGKILL) } }

    /// Tells it that nothing more comes.
    public mutating func closeInput() {
        if input >= 0 { close(input) }
        input = -1
    }

    /// Ends it and all that it started.
    deinit {
        if input >= 0 { close(input) }
        close(output)
        if errors >= 0 { close(errors) }
        guard status == nil else { return }
        var code: Int32 = 0
        // Without input a driver ends by itself; it gets the time for that.
        var left = errors >= 0 ? 500 : 0
        while left > 0 {
            if waitpid(process, &code, WNOHANG) != 0 { return }
            usleep(2_000)
            left -= 1
        }
        _ = Glibc.kill(-process, SIGKILL)
        while waitpid(process, &code, 0) < 0 && errno == EINTR {}
    }
}
