// How a worker of a backup reads the cluster: files are looked at and compressed where they are.

import BackstopCore

/// Reads one file after the other.
protocol ClusterReading: AnyObject {
    /// The compressed bytes of the file, `range` of it.
    func open(_ file: PlannedFile, _ key: Key, _ range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable

    /// What the content of the file is, of which no byte is wanted.
    func look(at file: PlannedFile, _ key: Key, _ range: Range<UInt64>?) async throws(BackupError) -> ChainFindings

    /// Valid after the end of the last one.
    func findings() throws(BackupError) -> ChainFindings

    /// What the meter was told of the file under way counts no more: it will be read again.
    func undo()
}

/// The cluster of this host.
final class NearReading: ClusterReading {
    private let tree: any FileTree
    private let meter: MeterTap
    private let plain: RunningChain
    private let withPages: RunningChain
    private let content: RunningChain
    private var last: RunningChain
    private var block = Block(capacity: 4096)

    init(_ tree: any FileTree, _ plain: ChainSpec, _ withPages: ChainSpec, _ registry: Registry, _ meter: ProgressMeter) throws(BackupError)
    {
        self.tree = tree
        self.meter = MeterTap(meter)
        self.plain = try plain.make(registry, watching: [self.meter])
        self.withPages = try withPages.make(registry, watching: [self.meter])
        content = try ChainSpec.content.make(registry, watching: [self.meter])
        last = self.plain
    }

    func open(_ file: PlannedFile, _ key: Key, _ range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable {
        try flow(file.name.text, checksPages: file.checksPages, try await tree.open(key, range: range))
    }

    func look(at file: PlannedFile, _ key: Key, _ range: Range<UInt64>?) async throws(BackupError) -> ChainFindings {
        meter.file = file.name.text
        var flow = try Flow(try await tree.open(key, range: range), content.chain)
        try await flow.drain(&block)
        return content.found
    }

    /// Bytes that need not be what is in the file now.
    func flow(_ name: String, checksPages: Bool, _ source: consuming any ByteSource & ~Copyable) throws(BackupError) -> Flow {
        meter.file = name
        last = checksPages ? withPages : plain
        if checksPages { last.next(segment: DatabasePath.segment(of: name)) }
        return try Flow(source, last.chain)
    }

    func findings() -> ChainFindings { last.found }

    func undo() { meter.undo() }
}

/// A cluster on another host, which runs the same steps. What is to be stored without compression is compressed for its way only.
final class FarReading: ClusterReading {
    private let tree: any SteppingTree
    private let meter: ProgressMeter
    private let plain: ChainSpec
    private let withPages: ChainSpec
    private let steps = FarSteps([:])
    private let unpack: Chain?
    private var file: PlannedFile?
    /// What was asked for of it.
    private var spec = ChainSpec.content
    private var block = Block(capacity: 4096)
    private var segment: UInt32 = 0
    /// Bytes that there can be.
    private var most: UInt64 = 0
    /// Told to the meter.
    private var told: Int64 = 0

    /// `unpack`: undoes what `plain` and `withPages` do for the way only.
    init(_ tree: any SteppingTree, _ plain: ChainSpec, _ withPages: ChainSpec, unpack: Chain?, _ meter: ProgressMeter) {
        self.tree = tree
        self.meter = meter
        self.plain = plain
        self.withPages = withPages
        self.unpack = unpack
    }

    func open(_ file: PlannedFile, _ key: Key, _ range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable {
        let source = try await ask(file, key, range, for: file.checksPages ? withPages : plain)
        guard let unpack else { return source }
        return try Flow(source, unpack)
    }

    func look(at file: PlannedFile, _ key: Key, _ range: Range<UInt64>?) async throws(BackupError) -> ChainFindings {
        var source = try await ask(file, key, range, for: .content)
        repeat { block.clear() } while try await block.fill(from: &source)
        return try findings()
    }

    private func ask(
        _ file: PlannedFile, _ key: Key, _ range: Range<UInt64>?, for spec: ChainSpec
    ) async throws(BackupError) -> any ByteSource & ~Copyable {
        self.file = file
        self.spec = spec
        told = 0
        segment = DatabasePath.segment(of: file.name.text)
        // A file that is read whole may have grown, but not beyond measure.
        most = range.map { UInt64($0.count) } ?? file.size + 1 << 30
        steps.findings = .null
        steps.members = file.checksPages ? ["steps": spec.wire, "segment": JSON(UInt64(segment))] : ["steps": spec.wire]
        steps.most = most + most / 64 + 1 << 20
        return try await tree.open(key, range: range, through: steps)
    }

    func findings() throws(BackupError) -> ChainFindings {
        guard let file else { return ChainFindings() }
        let found = try ChainFindings(
            wire: steps.findings, of: spec, most: most, segment: segment, file: file.name.text)
        // Only now is it known how much was read there.
        meter.add(Int64(clamping: found.size) - told, file: file.name.text)
        told = Int64(clamping: found.size)
        return found
    }

    func undo() {
        meter.add(-told, file: file?.name.text ?? "")
        told = 0
    }
}
