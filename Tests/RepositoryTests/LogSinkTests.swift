import BackstopCore
import Foundation
import Testing

/// Lines that nobody takes are dropped and counted, and the next one that is taken tells how many.
struct LogSinkTests {
    private func readAll(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = read(descriptor, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    @Test func dropsAndCounts() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        var sink = LogSink(ends[1], patience: .milliseconds(1))
        sink.write("first\n")
        #expect(readAll(ends[0]) == "first\n")
        // More than a pipe holds: cut in the middle.
        sink.write(String(repeating: "x", count: 1 << 20))
        for _ in 0..<3 { sink.write("lost\n") }
        sink.write("not worth counting", counts: false)
        let text = readAll(ends[0])
        #expect(text.allSatisfy { $0 == "x" } && !text.isEmpty)
        sink.write("last\n")
        #expect(readAll(ends[0]) == "\n(4 lines of the log were dropped: nobody read it)\nlast\n")
        // Whoever shares the descriptor finds it as it was.
        #expect(fcntl(ends[1], F_GETFL) & O_NONBLOCK == 0)
    }
}
