// Committed numbers: what an object may cost whatever its size, in allocations and in jobs of the executor.

import BackstopCodecs
import BackstopCore
import BackstopDrivers
import CTestSupport
import Testing

/// Bytes out of nothing, made without an allocation.
private struct PatternSource: ByteSource, ~Copyable {
    var left: Int
    var state: UInt64 = 1

    init(_ size: Int) { left = size }

    mutating func read(into out: inout OutputRawSpan) async throws(BackupError) -> Bool {
        var count = min(left, out.freeCapacity)
        left -= count
        while count > 0 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let word = UInt8(truncatingIfNeeded: state >> 60)
            out.append(repeating: word, count: min(count, 16), as: UInt8.self)
            count -= min(count, 16)
        }
        return left > 0
    }
}

/// What one object of each size costs, measured on a lane when everything that is kept has been made.
private func costs(
    of sizes: [Int], codec: String, _ measure: @escaping @Sendable (Lane) -> Int,
    _ object: @escaping @Sendable (Worker, Int) async throws -> Void
) async throws -> [Int] {
    let lane = try Lane.start()
    defer { lane.close() }
    return try await Task(executorPreference: lane) {
        let worker = try Worker(codec)
        // The libraries make some of their memory when they meet the first large object.
        for size in sizes.sorted(by: >) + sizes { try await object(worker, size) }
        var costs: [Int] = []
        costs.reserveCapacity(sizes.count)
        for size in sizes {
            let before = measure(lane)
            try await object(worker, size)
            costs.append(measure(lane) - before)
        }
        return costs
    }.value
}

/// What a worker keeps between objects.
private final class Worker {
    let chain: Chain
    var block = Block(capacity: 1 << 20)

    init(_ codec: String) throws {
        var registry = Registry()
        registerBuiltinCodecs(in: &registry)
        let driver = try registry.codec(codec)
        chain = Chain([
            .tap(ByteCount()), .tap(try registry.checksum("sha1").make()),
            .transform(try driver.open(driver.defaultLevel, .normal).encoder()),
            .transform(try registry.cipher("aes-256-cbc").open(CipherKeys(passphrase: "a passphrase"), .normal).encoder()),
            .tap(try registry.checksum("sha1").make()),
        ])
    }
}

private let sizes = [100, 70_000, 1 << 20, 5 << 20, 24 << 20]

#if DEBUG
    private let countsAllocations = false
#else
    private let countsAllocations = backstop_counts_allocations()
#endif

@Suite struct BudgetTests {
    /// Allocations of an object through sha1, codec, cipher and sha1: one for the source, and one of libcrypto for each digest that
    /// begins, of which the key of the cipher needs three.
    @Test(
        .enabled(
            if: countsAllocations,
            "unoptimised code allocates for its own needs: swift test -c release -Xswiftc -enable-testing --filter BudgetTests"),
        arguments: ["none", "gz", "lz4", "zst", "bz2"])
    func allocationsOfAFlow(_ codec: String) async throws {
        let costs = try await costs(of: sizes, codec: codec, { _ in backstop_allocations() }) { worker, size in
            var flow = try Flow(PatternSource(size), worker.chain)
            try await flow.drain(&worker.block)
        }
        for (size, cost) in zip(sizes, costs) {
            #expect(cost <= 6, "an object of \(size) bytes through \(codec) costs \(cost) allocations")
        }
    }

    /// Jobs of the executor for an object that is put. None: all of it runs where it began.
    @Test func jobsOfAPut() async throws {
        let storage = MemoryStorage()
        let costs = try await costs(of: sizes, codec: "zst", \.jobCount) { worker, size in
            var flow = try Flow(PatternSource(size), worker.chain)
            _ = try await storage.put(Key("object-\(size)"), from: &flow, PutOptions())
        }
        for (size, cost) in zip(sizes, costs) { #expect(cost == 0, "an object of \(size) bytes costs \(cost) jobs of the executor") }
    }
}
