// WAL segments and the names of the files that are archived.

import BackstopCore

/// One file of the WAL. Its size is a fact about the cluster, so whoever counts segments tells it.
struct WALSegment: Hashable, Sendable, Comparable, CustomStringConvertible {
    var timeline: UInt32
    /// The upper half of the segment's location.
    var log: UInt32
    /// Which segment of the log's 4 GiB.
    var number: UInt32

    init(timeline: UInt32, log: UInt32, number: UInt32) {
        self.timeline = timeline
        self.log = log
        self.number = number
    }

    /// The segment that holds the byte at `lsn`.
    init(timeline: UInt32, of lsn: LSN, segmentSize: UInt32) {
        self.init(timeline: timeline, log: UInt32(lsn.value >> 32), number: UInt32(lsn.value & 0xFFFF_FFFF) / segmentSize)
    }

    /// 24 upper-case hexadecimal digits; nil for anything else.
    init?(_ name: some StringProtocol) {
        guard name.utf8.count == 24 else { return nil }
        let digits = name.utf8
        let second = digits.index(digits.startIndex, offsetBy: 8)
        let third = digits.index(second, offsetBy: 8)
        guard let timeline = hexadecimal8(digits[..<second]), let log = hexadecimal8(digits[second..<third]),
            let number = hexadecimal8(digits[third...])
        else { return nil }
        self.init(timeline: timeline, log: log, number: number)
    }

    var name: String { hexadecimal8(timeline) + hexadecimal8(log) + hexadecimal8(number) }
    var description: String { name }

    /// The first 16 digits: the folder that holds it in a repository.
    var folder: String { hexadecimal8(timeline) + hexadecimal8(log) }

    /// The place of its first byte.
    func start(segmentSize: UInt32) -> LSN { LSN(UInt64(log) << 32 + UInt64(number) * UInt64(segmentSize)) }

    func next(segmentSize: UInt32) -> WALSegment {
        number < UInt32.max / segmentSize
            ? WALSegment(timeline: timeline, log: log, number: number + 1)
            : WALSegment(timeline: timeline, log: log &+ 1, number: 0)
    }

    /// From the segment that holds `first` to the one that holds `last`; empty when `last` comes before.
    static func list(timeline: UInt32, from first: LSN, through last: LSN, segmentSize: UInt32) -> [WALSegment] {
        let end = WALSegment(timeline: timeline, of: last, segmentSize: segmentSize)
        var segment = WALSegment(timeline: timeline, of: first, segmentSize: segmentSize)
        var segments: [WALSegment] = []
        while segment < end {
            segments.append(segment)
            segment = segment.next(segmentSize: segmentSize)
        }
        if segment == end { segments.append(end) }
        return segments
    }

    /// The order of their names.
    static func < (a: WALSegment, b: WALSegment) -> Bool {
        (a.timeline, a.log, a.number) < (b.timeline, b.log, b.number)
    }

    /// Throws `.format` unless `size` can be the size of a segment: a power of two from 1 MiB to 1 GiB.
    static func checkSize(_ size: UInt32, in place: String) throws(BackupError) {
        guard size.nonzeroBitCount == 1, 1 << 20 <= size, size <= 1 << 30 else {
            throw BackupError(.format, "WAL segment size is \(size) in \(place), expected a power of two from 1 MiB to 1 GiB")
        }
    }
}

/// What the name of an archived file says about it.
enum WALFileName: Hashable, Sendable {
    case segment(WALSegment)
    /// The last segment of a timeline that was left before its end.
    case partial(WALSegment)
    /// The history of a timeline.
    case history(timeline: UInt32)
    /// PostgreSQL's note of a backup that began in this segment.
    case backup(WALSegment, offset: UInt32)
    case other

    init(_ name: String) {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        let segment = WALSegment(parts[0])
        if parts.count == 1, let segment {
            self = .segment(segment)
        } else if parts.count == 2, parts[1] == "partial", let segment {
            self = .partial(segment)
        } else if parts.count == 2, parts[1] == "history", let timeline = hexadecimal8(parts[0].utf8) {
            self = .history(timeline: timeline)
        } else if parts.count == 3, parts[2] == "backup", let segment, let offset = hexadecimal8(parts[1].utf8) {
            self = .backup(segment, offset: offset)
        } else {
            self = .other
        }
    }

    /// The segment whose bytes, all or the first of them, the file has.
    var segment: WALSegment? {
        switch self {
        case .segment(let segment), .partial(let segment): segment
        default: nil
        }
    }
}

/// `0000002A`.
func hexadecimal8(_ number: UInt32) -> String {
    let digits = String(number, radix: 16, uppercase: true)
    return String(repeating: "0", count: 8 - digits.utf8.count) + digits
}

/// The number of exactly eight upper-case hexadecimal digits.
func hexadecimal8(_ digits: some Collection<UInt8>) -> UInt32? {
    guard digits.count == 8 else { return nil }
    var number: UInt32 = 0
    for digit in digits {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): number = number << 4 | UInt32(digit - UInt8(ascii: "0"))
        case UInt8(ascii: "A")...UInt8(ascii: "F"): number = number << 4 | UInt32(digit - UInt8(ascii: "A") + 10)
        default: return nil
        }
    }
    return number
}
