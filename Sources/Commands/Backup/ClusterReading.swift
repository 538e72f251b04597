// How a worker of a backup reads the cluster: files are looked at and compressed where they are.

import BackstopCore

/// Reads one file after the other.
protocol ClusterReading: AnyObject {
    /// The compressed bytes of the file, `range` of it.
    func open(_ file: PlannedFile, _ key: Key, _ range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable

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
    private var last: RunningChain

    init(_ tree: any FileTree, _ plain: ChainSpec, _ withPages: ChainSpec, _ registry: Registry, _ meter: ProgressMeter) throws(BackupError)
    {
        self.tree = tree
        self.meter = MeterTap(meter)
        self.plain = try plain.make(registry, watching: [self.meter])
        self.withPages = try withPages.make(registry, watching: [self.meter])
        last = self.plain
    }

    func open(_ file: PlannedFile, _ key: Key, _ range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable {
        try flow(file.name.text, checksPages: file.checksPages, try await tree.open(key, range: range))
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
        self.file = file
        told = 0
        segment = DatabasePath.segment(of: file.name.text)
        // A file that is read whole may have grown, but not beyond measure.
        most = range.map { UInt64($0.count) } ?? file.size + 1 << 30
        steps.findings = .null
        steps.members = file.checksPages ? ["steps": withPages.wire, "segment": JSON(UInt64(segment))] : ["steps": plain.wire]
        steps.most = most + most / 64 + 1 << 20
        let source = try await tree.open(key, range: range, through: steps)
        guard let unpack else { return source }
        return try Flow(source, unpack)
    }

    func findings() throws(BackupError) -> ChainFindings {
        guard let file else { return ChainFindings() }
        let found = try ChainFindings(
            wire: steps.findings, of: file.checksPages ? withPages : plain, most: most, segment: segment, file: file.name.text)
        // Only now is it known how much was read there.
        told = Int64(clamping: found.size)
        meter.add(told, file: file.name.text)
        return found
    }

    func undo() {
        meter.add(-told, file: file?.name.text ?? "")
        told = 0
    }
}
