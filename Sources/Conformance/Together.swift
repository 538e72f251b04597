// Requests that are under way at the same moment, which is what backups have and what a check has to insist on.

import BackstopCore
import Synchronization

/// As many requests as a backup with `process-max=4` can have under way.
let requestsAtOnce = 8

/// Runs `body` for each worker on a thread of its own, so that a driver that blocks its caller blocks no other. Answers the results in the
/// order of the workers; the first error is thrown when all have ended.
func together<Result: Sendable>(
    _ count: Int = requestsAtOnce, _ body: @escaping @Sendable (_ worker: Int) async throws -> Result
) async throws -> [Result] {
    var lanes: [Lane] = []
    defer { for lane in lanes { lane.close() } }
    for _ in 0..<count { lanes.append(try Lane.start()) }
    return try await withThrowingTaskGroup(of: (Int, Result).self) { group in
        for (worker, lane) in lanes.enumerated() {
            group.addTask(executorPreference: lane) { (worker, try await body(worker)) }
        }
        var results = [Result?](repeating: nil, count: count)
        while let (worker, result) = try await group.next() { results[worker] = result }
        return results.compactMap { $0 }
    }
}

/// Where requests wait for each other.
final class Meeting: Sendable {
    private let missing: Mutex<Int>
    private let isOver = Atomic<Bool>(false)
    private let whenAllAreThere: @Sendable () -> Void

    /// `whenAllAreThere` runs once, before anybody goes on.
    init(_ count: Int, whenAllAreThere: @escaping @Sendable () -> Void = {}) {
        missing = Mutex(count)
        self.whenAllAreThere = whenAllAreThere
    }

    /// How many have not come.
    var absent: Int { missing.withLock { $0 } }

    /// Waits until all have come, one of them has failed, or it has taken too long.
    func arrive() async {
        let isLast = missing.withLock { missing in
            missing -= 1
            return missing == 0
        }
        if isLast {
            whenAllAreThere()
            isOver.store(true, ordering: .releasing)
        }
        let end = ContinuousClock.now + Self.patience
        while !isOver.load(ordering: .acquiring), ContinuousClock.now < end { try? await Task.sleep(for: .milliseconds(1)) }
    }

    /// Lets the others go: somebody will not come.
    func callOff() { isOver.store(true, ordering: .releasing) }

    /// Processes start within that, on the busiest machine.
    private static let patience = Duration.seconds(45)
}

/// Gives all bytes but the last, and that one when everybody is there.
struct HeldSource: ByteSource, ~Copyable {
    private let bytes: [UInt8]
    private let meeting: Meeting
    private var position = 0
    private var hasMet = false

    init(_ bytes: [UInt8], _ meeting: Meeting) {
        self.bytes = bytes
        self.meeting = meeting
    }

    mutating func read(into out: inout OutputRawSpan) async throws(BackupError) -> Bool {
        let last = max(0, bytes.count - 1)
        if position == last && !hasMet {
            hasMet = true
            await meeting.arrive()
        }
        let count = min((hasMet ? bytes.count : last) - position, out.freeCapacity)
        out.append(contentsOf: bytes, position..<position + count)
        position += count
        return position < bytes.count
    }
}

extension StorageSubject {
    /// Puts the objects, whose last bytes are given when all puts are under way: drivers that store at the end of the data store at the same
    /// moment. Fails when they cannot all be under way. Answers what became of each.
    func putTogether(
        _ objects: [(key: Key, bytes: [UInt8])], _ options: PutOptions = PutOptions(),
        whenAllAreUnderWay: @escaping @Sendable () -> Void = {}
    ) async throws -> [Result<Entry, BackupError>] {
        let storage = storage
        let meeting = Meeting(objects.count, whenAllAreThere: whenAllAreUnderWay)
        let results = try await together(objects.count) { worker in
            var source = HeldSource(objects[worker].bytes, meeting)
            do throws(BackupError) {
                return Result<Entry, BackupError>.success(try await storage.put(objects[worker].key, from: &source, options))
            } catch {
                meeting.callOff()
                return .failure(error)
            }
        }
        if meeting.absent > 0 {
            for case .failure(let error) in results { throw Broken(reason: "a put beside others fails with \(describe(error))") }
            throw Broken(
                reason: "of \(objects.count) puts that were begun together only \(objects.count - meeting.absent) are under way at a time")
        }
        return results
    }
}
