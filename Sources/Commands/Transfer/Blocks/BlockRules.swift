// Which files are cut into blocks, and how (repository-format.md section 6.1).

import BackstopCore

/// Which format a file gets when it first appears in a set.
struct BlockRules: Sendable {
    /// Bytes of a file from which a block size holds, the largest first.
    var sizes: [(from: UInt64, size: UInt64)] = [
        (914 << 20, 88 << 10), (740 << 20, 80 << 10), (585 << 20, 72 << 10), (448 << 20, 64 << 10), (329 << 20, 56 << 10),
        (228 << 20, 48 << 10), (146 << 20, 40 << 10), (96 << 20, 32 << 10), (43 << 20, 24 << 10), (11 << 20, 16 << 10), (16 << 10, 8 << 10),
    ]
    /// Days without a change from which on blocks are so many times larger, the most first; 0: the file is stored whole.
    var ages: [(days: Int64, factor: UInt64)] = [(28, 0), (14, 4), (7, 2)]
    /// Block sizes from which on a checksum has so many bytes, the largest first.
    var checksums: [(from: UInt64, size: Int)] = [
        (4 << 20, 12), (2 << 20, 11), (1 << 20, 10), (512 << 10, 9), (128 << 10, 8), (32 << 10, 7), (0, 6),
    ]
    /// Bytes of content that are compressed together, at least.
    var superBlock: UInt64 = 256 << 10
    var superBlockOfFull: UInt64 = 1 << 20

    /// nil: the file is stored whole. `age`: seconds since its last change.
    func format(size: UInt64, age: Int64) -> BlockFormat? {
        guard let block = sizes.first(where: { size >= $0.from })?.size else { return nil }
        let factor = ages.first { age >= $0.days * 86_400 }?.factor ?? 1
        return factor == 0 ? nil : format(blockSize: block * factor)
    }

    private func format(blockSize: UInt64) -> BlockFormat {
        BlockFormat(size: blockSize, checksumSize: checksums.first { blockSize >= $0.from }?.size ?? 6)
    }
}

extension BlockRules {
    /// From the options of a repository, of which those that are not given keep the rules of the field.
    init(_ options: Options, repository: Int) throws(BackupError) {
        self.init()
        func rules<Value>(
            _ key: OptionKey<[String: String]>, _ read: (String, String) throws(BackupError) -> Value
        ) throws(BackupError) -> [Value] {
            var values: [Value] = []
            for (from, value) in options[key, repository] { values.append(try read(from, value)) }
            return values
        }
        func size(_ text: String, _ key: OptionKey<[String: String]>) throws(BackupError) -> UInt64 {
            guard let size = parseSize(text), size >= 0 else {
                throw BackupError(.optionInvalidValue, "'\(text)' is not a size, in option '\(key.spec.fullName(repository))'")
            }
            return UInt64(size)
        }
        func number(_ text: String, _ key: OptionKey<[String: String]>, _ range: ClosedRange<Int64>) throws(BackupError) -> Int64 {
            guard let number = Int64(text), range.contains(number) else {
                throw BackupError(
                    .optionInvalidValue,
                    "'\(text)' is not a number from \(range.lowerBound) to \(range.upperBound), in option '\(key.spec.fullName(repository))'"
                )
            }
            return number
        }
        let (sizeMap, ageMap, checksumMap) =
            (RepositoryOptions.blockSizeMap, RepositoryOptions.blockAgeMap, RepositoryOptions.blockChecksumSizeMap)
        let sizes = try rules(sizeMap) { (from, value) throws(BackupError) in
            (from: try size(from, sizeMap), size: try size(value, sizeMap))
        }
        for (_, block) in sizes where block == 0 || block % 8192 != 0 || block > 4 << 20 {
            throw BackupError(
                .optionInvalidValue, "\(block) is not a block size, in option '\(sizeMap.spec.fullName(repository))'",
                hint: "it is a multiple of 8KiB, up to 4MiB.")
        }
        let ages = try rules(ageMap) { (days, factor) throws(BackupError) in
            (days: try number(days, ageMap, 0...36_500), factor: UInt64(try number(factor, ageMap, 0...64)))
        }
        let checksums = try rules(checksumMap) { (from, length) throws(BackupError) in
            (from: try size(from, checksumMap), size: Int(try number(length, checksumMap, 6...16)))
        }
        if !sizes.isEmpty { self.sizes = sizes.sorted { $0.from > $1.from } }
        if !ages.isEmpty { self.ages = ages.sorted { $0.days > $1.days } }
        if !checksums.isEmpty { self.checksums = checksums.sorted { $0.from > $1.from } }
        superBlock = UInt64(options[RepositoryOptions.blockSizeSuper, repository])
        superBlockOfFull = UInt64(options[RepositoryOptions.blockSizeSuperFull, repository])
    }
}
