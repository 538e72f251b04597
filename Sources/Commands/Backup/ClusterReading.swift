// How a worker of a backup reads the cluster: files are looked at and compressed where they are.

import BackstopCore

/// What the reading of a file found.
struct FileFindings {
    /// Bytes that were read.
    var size: UInt64
    var checksum: SHA1Value?
    /// Pages that looked wrong, by their number in the relation.
    var pageErrors: [ClosedRange<UInt32>] = []
    /// False: the size is not a multiple of the page size, so nothing is known of pages.
    var isAligned = true
}

/// Reads one file after the other.
protocol ClusterReading: AnyObject {
    /// The compressed bytes of the file, `range` of it.
    func open(_ file: Manifest.File, _ key: Key, _ range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable

    /// Valid after the end of the last one.
    func findings() throws(BackupError) -> FileFindings

    /// What the meter was told of the file under way counts no more: it will be read again.
    func undo()
}

/// The cluster of this host.
final class NearReading: ClusterReading {
    private let tree: any FileTree
    private let size = ByteCount()
    private let sha1: any Checksum
    private let meter: MeterTap
    private let pages: PageCheck
    private let plainChain: Chain
    private let pagesChain: Chain
    private var checksPages = false

    init(_ copy: BackupCopy) throws(BackupError) {
        tree = copy.cluster.tree
        sha1 = try copy.repository.sha1()
        meter = MeterTap(copy.meter)
        pages = copy.makePageCheck()
        let looks: [Step] = [.tap(size), .tap(sha1), .tap(meter)]
        plainChain = Chain(looks + (try copy.encoding.compression()))
        pagesChain = Chain(looks + [.tap(pages)] + (try copy.encoding.compression()))
    }

    func open(_ file: Manifest.File, _ key: Key, _ range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable {
        try flow(file, try await tree.open(key, range: range))
    }

    /// Bytes that need not be what is in the file now.
    func flow(_ file: Manifest.File, _ source: consuming any ByteSource & ~Copyable) throws(BackupError) -> Flow {
        checksPages = file.pagesValid != nil
        meter.file = file.name
        if checksPages { pages.next(segment: DatabasePath.segment(of: file.name)) }
        return try Flow(source, checksPages ? pagesChain : plainChain)
    }

    func findings() -> FileFindings {
        var findings = FileFindings(size: size.count, checksum: size.count == 0 ? nil : SHA1Value(sha1.digest))
        if checksPages {
            findings.pageErrors = pages.errors
            findings.isAligned = !pages.alignmentError
        }
        return findings
    }

    func undo() { meter.undo() }
}

/// A cluster on another host, which runs the same steps. What is to be stored without compression is compressed for its way only.
final class FarReading: ClusterReading {
    private let tree: any SteppingTree
    private let meter: ProgressMeter
    private let plain: JSON
    private let withPages: JSON
    private let steps = FarSteps([:])
    private let unpack: Chain?
    private let pageSize: UInt64
    private var file = ""
    private var segment: UInt32 = 0
    private var checksPages = false
    /// Bytes that there can be.
    private var most: UInt64 = 0
    /// Told to the meter.
    private var told: Int64 = 0

    init(_ copy: BackupCopy, _ tree: any SteppingTree) throws(BackupError) {
        self.tree = tree
        meter = copy.meter
        let looks = ["size", "sha1"].map { JSON.object(["tap": .string($0)]) }
        let pages = copy.makePageCheck()
        pageSize = UInt64(pages.pageSize)
        let check = JSON.object(["tap": .string("pages"), "size": JSON(pages.pageSize), "headerCheck": .bool(pages.headerCheck)])
        var compression: [JSON] = []
        var unpack: Chain?
        if copy.encoding.codec.name != "none" {
            compression = [Self.step(copy.encoding.codec, copy.encoding.level)]
        } else if let lz4 = copy.repository.registry.codecs["lz4"], copy.context.options[CodecOptions.compressLevelNetwork] != 0 {
            let level = copy.context.options[CodecOptions.compressLevelNetwork]
            compression = [Self.step(lz4, level)]
            unpack = Chain([.transform(try lz4.open(level, .normal).decoder())])
        }
        self.unpack = unpack
        plain = .array(looks + compression)
        withPages = .array(looks + [check] + compression)
    }

    func open(_ file: Manifest.File, _ key: Key, _ range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable {
        self.file = file.name
        told = 0
        checksPages = file.pagesValid != nil
        segment = DatabasePath.segment(of: file.name)
        // A file that is read whole may have grown, but not beyond measure.
        most = range.map { UInt64($0.count) } ?? file.originalSize + 1 << 30
        steps.findings = .null
        steps.members = checksPages ? ["steps": withPages, "segment": JSON(UInt64(segment))] : ["steps": plain]
        steps.most = most + most / 64 + 1 << 20
        let source = try await tree.open(key, range: range, through: steps)
        guard let unpack else { return source }
        return try Flow(source, unpack)
    }

    private static func step(_ codec: CodecDriver, _ level: Int) -> JSON {
        .object(["codec": .string(codec.name), "level": JSON(level)])
    }

    func findings() throws(BackupError) -> FileFindings {
        let taps = steps.findings["taps"]?.array ?? []
        guard taps.count == (checksPages ? 3 : 2), let size = taps[0]["size"]?.uint, size <= most, let digest = taps[1]["digest"]?.string,
            let checksum = SHA1Value(digest)
        else { throw BackupError(.protocol, "the host of the cluster does not tell what it found in '\(file)'") }
        var findings = FileFindings(size: size, checksum: size == 0 ? nil : checksum)
        if checksPages {
            let first = segment &* UInt32((1 << 30) / pageSize)
            let end = UInt64(first) + size / pageSize
            guard let isAligned = taps[2]["aligned"]?.bool, let errors = taps[2]["errors"]?.array else {
                throw BackupError(.protocol, "the host of the cluster does not tell of the pages of '\(file)'")
            }
            findings.isAligned = isAligned
            for bounds in errors {
                guard let ends = bounds.array?.compactMap({ $0.uint.flatMap { UInt32(exactly: $0) } }), ends.count == 2, ends[0] <= ends[1],
                    ends[0] >= first, UInt64(ends[1]) < end, findings.pageErrors.last.map({ $0.upperBound < ends[0] }) ?? true
                else { throw BackupError(.protocol, "the host of the cluster tells of pages '\(bounds.text)' in '\(file)'") }
                findings.pageErrors.append(ends[0]...ends[1])
            }
        }
        // Only now is it known how much was read there.
        told = Int64(clamping: size)
        meter.add(told, file: file)
        return findings
    }

    func undo() {
        meter.add(-told, file: file)
        told = 0
    }
}
