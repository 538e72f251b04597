import BackstopConformance
import BackstopCore
import BackstopDrivers
import Synchronization
import Testing

/// A check that hangs has an end, also when what hangs does not come back.
@Suite struct TimedCheckTests {
    private func outcome(_ storage: any Storage, grace: Duration) async -> (any Error)? {
        let check = storageChecks.first { $0.name == "stat of what is missing answers nothing" }
        let subject = StorageSubject(name: "hanging", storage: storage, prefix: Key("checks"))
        do {
            _ = try await check?.run(on: subject, within: .milliseconds(50), grace: grace)
            return nil
        } catch {
            return error
        }
    }

    @Test func interrupted() async throws {
        let storage = HangingStorage()
        let timeout = await outcome(storage, grace: .seconds(60)) as? ConformanceTimeout
        #expect(timeout?.isStuck == false)
    }

    @Test func stuck() async throws {
        let storage = HangingStorage(hearsInterrupts: false)
        let timeout = await outcome(storage, grace: .milliseconds(50)) as? ConformanceTimeout
        #expect(timeout?.isStuck == true)
        storage.isOver.store(true, ordering: .releasing)
    }

    @Test func passes() async throws {
        let check = try #require(storageChecks.first { $0.name == "stat of what is missing answers nothing" })
        let subject = StorageSubject(name: "memory", storage: MemoryStorage(), prefix: Key("checks"))
        #expect(try await check.run(on: subject, within: .seconds(60)) == .passed)
    }
}

/// Never answers a stat.
private final class HangingStorage: ProgramStorage {
    let isOver = Atomic<Bool>(false)
    private let hearsInterrupts: Bool

    init(hearsInterrupts: Bool = true) { self.hearsInterrupts = hearsInterrupts }

    var capabilities: Capabilities { [] }
    var location: String { "nowhere" }
    var processesAtWork: Set<Int32> { [] }
    func endProcesses() { if hearsInterrupts { isOver.store(true, ordering: .releasing) } }
    func breakOff(put key: Key?, _ bytes: [UInt8], by end: ProgramEnd, within limit: Duration) throws(BackupError) -> Int32? { nil }

    func stat(_ key: Key) async throws(BackupError) -> Entry? {
        while !isOver.load(ordering: .acquiring) { try? await Task.sleep(for: .milliseconds(1)) }
        throw BackupError(.unavailable, "ended")
    }

    func open(_ key: Key, range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable { BytesSource([]) }
    func put<Source: ByteSource & ~Copyable>(
        _ key: Key, from source: inout Source, _ options: PutOptions
    ) async throws(BackupError) -> Entry { throw BackupError(.unsupported, "nothing can be put") }
    func list(_ prefix: Key, _ depth: Depth, _ visit: (Entry) throws(BackupError) -> Void) async throws(BackupError) {}
    func remove(_ key: Key) async throws(BackupError) {}
    func sync(_ prefix: Key) async throws(BackupError) {}
}
