// What the program tells people and log files (cli.md section 1.12).

import Glibc
import Synchronization

/// Levels in the order of the field: a stream of level X shows X and all before it.
public enum LogLevel: Int, Sendable, Comparable, CaseIterable {
    case off, error, warn, info, detail, debug, trace

    public init?(_ name: String) {
        guard let level = Self.allCases.first(where: { "\($0)" == name }) else { return nil }
        self = level
    }

    public static func < (a: LogLevel, b: LogLevel) -> Bool { a.rawValue < b.rawValue }
}

/// Where lines of the log go: a shared handle, safe to use from every worker. Each line is one write, so lines never mix.
public final class Log: Sendable {
    /// Where lines go: each place has the level of the least important line that it gets.
    public struct Settings: Sendable {
        /// Of the console; what goes to standard error is not repeated there.
        public var console = LogLevel.warn
        /// Of the file that `openFile` opens.
        public var file = LogLevel.off
        /// Of standard error, whose lines have neither time nor worker in front.
        public var standardError = LogLevel.off
        /// Whether lines of console and file begin with the time.
        public var timestamp = true
        /// Where console lines go: standard output, or standard error for commands whose output is for other programs.
        public var consoleDescriptor = STDOUT_FILENO
        public init() {}
    }

    private struct State {
        var settings = Settings()
        var file: LogSink?
        /// Those of standard output and standard error that were written to, by number.
        var standard: [Int32: LogSink] = [:]
        /// Clears the progress line, if there is one, before a console line is written.
        var beforeConsole: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    public init() {}

    /// From the next line on.
    public func configure(_ settings: Settings) { state.withLock { $0.settings = settings } }

    /// Called before a line goes to the console: whoever keeps a progress line there takes it away.
    public func setBeforeConsole(_ body: (@Sendable () -> Void)?) { state.withLock { $0.beforeConsole = body } }

    /// Appends to the file at `path` from now on. A file that cannot be written is one warning, the command goes on.
    public func openFile(_ path: String, _ modes: NewModes = .neutral) {
        let descriptor = openLogFile(path, modes)
        if descriptor < 0 {
            warn("unable to open log file '\(path)': \(systemMessage(errno))\nNOTE: process will continue without log file.")
            return
        }
        state.withLock { state in
            var file = LogSink(descriptor)
            if state.settings.file != .off { file.write("-------------------PROCESS START-------------------\n") }
            state.file = file
        }
    }

    /// Whether any place is set to get such lines; for what takes long to put into words.
    public func isOn(_ level: LogLevel) -> Bool {
        state.withLock { max($0.settings.console, $0.settings.file, $0.settings.standardError) >= level }
    }

    /// With its exit status in front: `[055]: …`.
    public func error(_ error: BackupError, worker: Int = 0) {
        let status = String(error.code.exitStatus)
        let padded = String(repeating: "0", count: max(0, 3 - status.count)) + status
        write(.error, "[\(padded)]: \(error)", worker)
    }
    /// As `write`: for what is wrong and does not end the command.
    public func warn(_ text: String, worker: Int = 0) { write(.warn, text, worker) }
    /// As `write`: for what a user wants to read of a run.
    public func info(_ text: String, worker: Int = 0) { write(.info, text, worker) }
    /// As `write`, at this level; `text` is made only when somebody gets it.
    public func detail(_ text: @autoclosure () -> String, worker: Int = 0) { if isOn(.detail) { write(.detail, text(), worker) } }
    /// As `write`, at this level; `text` is made only when somebody gets it.
    public func debug(_ text: @autoclosure () -> String, worker: Int = 0) { if isOn(.debug) { write(.debug, text(), worker) } }

    /// One line, or several when the text has line breaks. `worker`: 0 is the main one.
    public func write(_ level: LogLevel, _ text: String, _ worker: Int = 0) {
        let text = FileName.shown(text)
        state.withLock { state in
            let settings = state.settings
            let name = "\(level)".uppercased()
            if settings.standardError >= level {
                state.standard[STDERR_FILENO, default: LogSink(STDERR_FILENO)].write("\(name): \(text)\n")
            }
            let console = settings.console >= level && settings.standardError < level
            let file = state.file != nil && settings.file >= level
            guard console || file else { return }
            let column =
                "P" + (worker < 10 ? "0\(worker)" : "\(worker)") + String(repeating: " ", count: max(1, 7 - name.count)) + name + ": "
            let stamp = settings.timestamp ? timestampNow() + " " : ""
            let indent = String(repeating: " ", count: stamp.utf8.count + column.utf8.count)
            let line =
                stamp + column + text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\n" + indent) + "\n"
            if console {
                state.beforeConsole?()
                state.standard[settings.consoleDescriptor, default: LogSink(settings.consoleDescriptor)].write(line)
            }
            if file { state.file?.write(line) }
        }
    }
}
