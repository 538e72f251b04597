// How far a backup or restore is: for the terminal, for `info` (through the lock file) and for the log.

import BackstopCore
import Glibc
import Synchronization

/// Fed by the workers while bytes flow; there is no timer. Shared by all of them.
final class ProgressMeter: Sendable {
    private struct State {
        var complete: UInt64 = 0
        var lastShown: ContinuousClock.Instant
        var lastTold: ContinuousClock.Instant
        var isLineShown = false
        var isOver = false
        var terminal = LogSink(STDERR_FILENO)
    }

    private let title: String
    private let size: UInt64
    private let isShown: Bool
    /// The log on the console says when the command has ended.
    private let isTold: Bool
    private let lock: CommandLock?
    private let started = ContinuousClock.now
    private let state: Mutex<State>

    /// `size`: bytes in all.
    init(_ title: String, size: UInt64, _ context: RunContext) {
        self.title = title
        self.size = size
        lock = context.lock
        isShown =
            switch context.options[GeneralOptions.progress] {
            case "always": true
            case "never": false
            // Nobody who wants silence, or whose terminal cannot take a line back.
            default:
                isatty(STDERR_FILENO) == 1 && getenv("TERM").map { String(cString: $0) != "dumb" } ?? true
                    && context.options[LogOptions.levelConsole] != .off
            }
        isTold = context.options[LogOptions.levelConsole] >= .info
        let now = ContinuousClock.now
        state = Mutex(State(lastShown: now - .seconds(1), lastTold: now - .seconds(2)))
        lock?.tell(size: size, complete: 0)
        if isShown { context.log.setBeforeConsole { [weak self] in self?.clearLine() } }
    }

    /// `bytes` more were done; `file` is what is worked on. Negative when a job is repeated.
    func add(_ bytes: Int64, file: String) {
        let now = ContinuousClock.now
        state.withLock { state in
            state.complete = UInt64(max(0, Int64(state.complete) + bytes))
            if now - state.lastTold >= .seconds(1) {
                state.lastTold = now
                lock?.tell(size: size, complete: min(size, state.complete))
            }
            if isShown, !state.isOver, now - state.lastShown >= .milliseconds(200) {
                state.lastShown = now
                state.isLineShown = true
                state.terminal.write("\r\u{1B}[K" + line(min(size, state.complete), file, now - started), counts: false)
            }
        }
    }

    /// Of the whole, as in the log.
    var percent: String {
        percentText(state.withLock { $0.complete }, of: size)
    }

    /// What is still done takes no time: the line does not come back.
    func end() {
        state.withLock { $0.isOver = true }
        clearLine()
    }

    /// Tells whoever watched what has become of it, unless the console's log does.
    func succeed(_ text: String) {
        guard isShown, !isTold else { return }
        let seconds = (ContinuousClock.now - started).components.seconds
        state.withLock { $0.terminal.write("\(text), \(seconds) s\n") }
    }

    /// A command that fails leaves no line behind.
    deinit { clearLine() }

    func clearLine() {
        state.withLock { state in
            if state.isLineShown { state.terminal.write("\r\u{1B}[K", counts: false) }
            state.isLineShown = false
        }
    }

    private func line(_ complete: UInt64, _ file: String, _ elapsed: Duration) -> String {
        let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        let rate = Double(complete) / max(seconds, 0.001)
        let left = Int(min(Double(size - complete) / max(rate, 1), 359_999))
        let seconds60 = left % 60 < 10 ? "0\(left % 60)" : "\(left % 60)"
        let text =
            "\(title) \(percentText(complete, of: size))%  \(roundedSize(complete)) of \(roundedSize(size))  \(roundedSize(UInt64(rate)))/s"
            + "  \(left / 60):\(seconds60) left  \(FileName.shown(file))"
        return String(text.prefix(terminalWidth() - 1))
    }

    private func terminalWidth() -> Int {
        var size = winsize()
        return ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 20 ? Int(size.ws_col) : 80
    }
}

/// Tells the meter of the bytes of one file after the other.
final class MeterTap: Tap {
    private let meter: ProgressMeter
    var file = ""
    /// Bytes told of the current file.
    private(set) var told: Int64 = 0

    init(_ meter: ProgressMeter) { self.meter = meter }

    func update(_ bytes: RawSpan) {
        told += Int64(bytes.byteCount)
        meter.add(Int64(bytes.byteCount), file: file)
    }

    /// The bytes of the current file do not count: it will be read again.
    func undo() {
        meter.add(-told, file: file)
        told = 0
    }

    func finish() {}
    func reset() { told = 0 }
}
