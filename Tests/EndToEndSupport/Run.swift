// Programs: started in a process group of their own, as an unprivileged user, with an environment that is given whole, and never
// waited for without a deadline. Output goes to files, not to pipes, so a server that outlives its starter cannot hold us.

import Foundation

/// What went wrong in the surroundings of a test, in words.
public struct Failure: Error, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}

/// How a program ended.
public struct Outcome: Sendable, CustomStringConvertible {
    public let command: [String]
    /// The exit status, or 128 + the number of the signal that ended it.
    public let status: Int32
    public let output: String
    public let errors: String
    public let seconds: Double

    /// Everything that a person would have seen.
    public var text: String { output + errors }

    public var description: String {
        "\(command.joined(separator: " "))\n→ status \(status) after \(String(format: "%.2f", seconds)) s\n\(output)\(errors)"
    }
}

/// The user that PostgreSQL and the program under test run as: PostgreSQL refuses root.
public enum Account {
    public static let isRoot = geteuid() == 0
    public static let name = isRoot ? "postgres" : NSUserName()
    static let command = isRoot ? ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"] : []
}

/// A program that runs. Whoever drops it ends it.
public final class Running {
    let command: [String]
    public let process: Int32
    private let begin = ContinuousClock.now
    private let output: FileHandle
    private let errors: FileHandle
    private var outcome: Outcome?

    /// `asRoot` keeps the rights of the test itself; it is for surroundings, never for a program under test.
    public init(_ command: [String], environment: [String: String] = [:], in directory: String = "/", asRoot: Bool = false) throws {
        self.command = command
        output = try Running.scratchFile()
        errors = try Running.scratchFile()

        let arguments = (asRoot ? [] : Account.command) + ["/usr/bin/env", "-C", directory] + command
        let surroundings = ["PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC", "HOME": directory].merging(environment) { $1 }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output.fileDescriptor, 1)
        posix_spawn_file_actions_adddup2(&actions, errors.fileDescriptor, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Threads of the Swift run-time block signals, and a program inherits that.
        var nothing = sigset_t()
        sigemptyset(&nothing)
        posix_spawnattr_setsigmask(&attributes, &nothing)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))

        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = surroundings.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (argv + envp).forEach { free($0) } }
        var child: pid_t = 0
        let error = posix_spawnp(&child, arguments[0], &actions, &attributes, &argv, &envp)
        guard error == 0 else { throw Failure("cannot start \(arguments[0]): \(String(cString: strerror(error)))") }
        process = child
    }

    deinit {
        if outcome == nil {
            kill(-process, SIGKILL)
            var status: Int32 = 0
            waitpid(process, &status, 0)
        }
    }

    /// Sends a signal to the program and to all that it started.
    public func signal(_ number: Int32) { kill(-process, number) }

    /// Nil while the program runs.
    public func poll() -> Outcome? {
        if let outcome { return outcome }
        var status: Int32 = 0
        guard waitpid(process, &status, WNOHANG) == process else { return nil }
        let ended = status & 0x7f
        let seconds = Double(begin.duration(to: .now).components.attoseconds) / 1e18 + Double(begin.duration(to: .now).components.seconds)
        outcome = Outcome(
            command: command, status: ended == 0 ? (status >> 8) & 0xff : 128 + ended, output: Running.text(of: output),
            errors: Running.text(of: errors), seconds: seconds)
        return outcome
    }

    /// Waits for the end; past the deadline the program is killed and that is an error.
    public func wait(within seconds: Double = 60) throws -> Outcome {
        var pause: useconds_t = 200
        while true {
            if let outcome = poll() { return outcome }
            if begin.duration(to: .now) > .seconds(seconds) {
                signal(SIGKILL)
                var status: Int32 = 0
                waitpid(process, &status, 0)
                let text = Running.text(of: output) + Running.text(of: errors)
                outcome = Outcome(command: command, status: 128 + SIGKILL, output: text, errors: "", seconds: seconds)
                throw Failure("\(command.joined(separator: " ")) did not end within \(seconds) s\n\(text)")
            }
            usleep(pause)
            pause = min(pause * 2, 5000)
        }
    }

    private static func scratchFile() throws -> FileHandle {
        let name = "/tmp/pgbackstop-output.\(UUID().uuidString)"
        let descriptor = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure("cannot make \(name)") }
        unlink(name)
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    private static func text(of file: FileHandle) -> String {
        lseek(file.fileDescriptor, 0, SEEK_SET)
        return String(decoding: (try? file.readToEnd()) ?? Data(), as: UTF8.self)
    }
}

/// Runs a program to its end, whatever its status.
public func attempt(
    _ command: [String], environment: [String: String] = [:], in directory: String = "/", within seconds: Double = 60, asRoot: Bool = false
) throws -> Outcome {
    try Running(command, environment: environment, in: directory, asRoot: asRoot).wait(within: seconds)
}

/// Runs a program that must succeed.
@discardableResult
public func run(
    _ command: [String], environment: [String: String] = [:], in directory: String = "/", within seconds: Double = 60, asRoot: Bool = false
) throws -> Outcome {
    let outcome = try attempt(command, environment: environment, in: directory, within: seconds, asRoot: asRoot)
    guard outcome.status == 0 else { throw Failure("\(outcome)") }
    return outcome
}

/// Asks again and again until the answer is there; past the deadline that is an error which says what was waited for.
@discardableResult
public func eventually<Answer>(_ what: String, within seconds: Double = 30, _ question: () throws -> Answer?) throws -> Answer {
    let begin = ContinuousClock.now
    while true {
        if let answer = try question() { return answer }
        if begin.duration(to: .now) > .seconds(seconds) { throw Failure("not within \(seconds) s: \(what)") }
        usleep(20_000)
    }
}

/// Lets a moment pass. Only for moments that are the point of a test; what is waited for has `eventually`.
public func pause(_ seconds: Double) { usleep(useconds_t(seconds * 1_000_000)) }
