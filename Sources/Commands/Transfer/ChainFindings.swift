// What the steps of a chain found in one file, here or on another host.

import BackstopCore

struct ChainFindings: Sendable, Equatable {
    /// Bytes of the content.
    var size: UInt64 = 0
    /// Lower case hexadecimal.
    var digest = ""
    /// Pages that looked wrong, by their number in the relation, ascending.
    var pageErrors: [ClosedRange<UInt32>] = []
    /// False: the size is not a multiple of the page size, so nothing is known of pages.
    var isAligned = true

    /// nil of an empty file.
    var checksum: SHA1Value? { size == 0 ? nil : SHA1Value(digest) }

    init() {}

    /// What the host of a cluster tells: another program, of which nothing is believed that cannot be. `most`: bytes that there can be;
    /// `segment`: which one of its relation the file is; `file`: for the error. Throws `.protocol`.
    init(wire: JSON, of spec: ChainSpec, most: UInt64, segment: UInt32, file: String) throws(BackupError) {
        let unknown = BackupError(.protocol, "the host of the cluster does not tell what it found in '\(file)'")
        let looks = spec.steps.filter { step in
            switch step {
            case .size, .checksum, .pages: true
            case .compress, .drop: false
            }
        }
        guard let taps = wire["taps"]?.array, taps.count == looks.count else { throw unknown }
        for (look, tap) in zip(looks, taps) {
            switch look {
            case .size:
                guard let size = tap["size"]?.uint, size <= most else { throw unknown }
                self.size = size
            case .checksum:
                guard let digest = tap["digest"]?.string, SHA1Value(digest) != nil else { throw unknown }
                self.digest = digest
            case .pages(let pageSize, _):
                guard let isAligned = tap["aligned"]?.bool, let errors = tap["errors"]?.array else {
                    throw BackupError(.protocol, "the host of the cluster does not tell of the pages of '\(file)'")
                }
                self.isAligned = isAligned
                let first = segment &* UInt32((1 << 30) / pageSize)
                let end = UInt64(first) + size / UInt64(pageSize)
                for bounds in errors {
                    guard let ends = bounds.array?.compactMap({ $0.uint.flatMap { UInt32(exactly: $0) } }), ends.count == 2,
                        ends[0] <= ends[1], ends[0] >= first, UInt64(ends[1]) < end,
                        pageErrors.last.map({ $0.upperBound < ends[0] }) ?? true
                    else { throw BackupError(.protocol, "the host of the cluster tells of pages '\(bounds.text)' in '\(file)'") }
                    pageErrors.append(ends[0]...ends[1])
                }
            case .compress, .drop: break
            }
        }
    }
}
