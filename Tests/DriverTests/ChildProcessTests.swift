import BackstopCore
import Foundation
import Testing

@Suite struct ChildProcessTests {
    /// A program that is started at the same moment does not keep another one's input open: `cat` ends when nobody can write to it any more.
    @Test func endOfInput() async {
        let late = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var late = 0
                    for _ in 0..<200 {
                        guard var child = try? ChildProcess(["cat"], .converse) else { return late + 1 }
                        child.closeInput()
                        var waited = pollfd(fd: child.output, events: Int16(POLLIN), revents: 0)
                        if poll(&waited, 1, 5000) <= 0 { late += 1 }
                    }
                    return late
                }
            }
            return await group.reduce(0, +)
        }
        #expect(late == 0)
    }
}
