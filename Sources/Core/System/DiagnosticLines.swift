// What another process tells people on its standard error.

import Glibc

/// Takes lines as they come, without ever waiting. Belongs to one task at a time.
public final class DiagnosticLines {
    /// What to wait for with `poll`.
    public let descriptor: Int32
    private let tell: (String) -> Void
    private var rest: [UInt8] = []
    /// The other side has closed it: there is nothing to poll for any more.
    public private(set) var hasEnded = false
    /// The end of what was said, which often tells why a process ended: the last lines, or the last error of our own program with its hints.
    public private(set) var last: [String] = []

    private static let longest = 4096
    /// Of the last lines: a report of an error often ends with what is of no use.
    private static let mostLines = 5
    private static let mostOfError = 2000

    /// Makes `descriptor` non-blocking; it is not closed here.
    public init(_ descriptor: Int32, _ tell: @escaping (String) -> Void) {
        self.descriptor = descriptor
        self.tell = tell
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }

    /// Takes what is there, up to 64 KiB, and tells the lines that are whole; the last one at the end, whole or not.
    public func read() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        // A process that writes without end must not keep us here.
        for _ in 0..<16 where !hasEnded {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 { return }
            hasEnded = count == 0
            for byte in buffer[..<count] {
                if byte == UInt8(ascii: "\n") || rest.count == Self.longest { finishLine() }
                if byte != UInt8(ascii: "\n") { rest.append(byte) }
            }
            if hasEnded { finishLine() }
        }
    }

    private func finishLine() {
        let line = String(decoding: rest, as: UTF8.self).trimmed
        rest.removeAll(keepingCapacity: true)
        guard !line.isEmpty else { return }
        let isOurs = { (line: String?) in line?.contains("ERROR: [") == true }
        if isOurs(line) {
            last = [line]
        } else if isOurs(last.first) {
            if last.reduce(0, { $0 + $1.utf8.count }) < Self.mostOfError { last.append(line) }
        } else {
            last = (last + [String(line.prefix(400))]).suffix(Self.mostLines)
        }
        tell(line)
    }
}
