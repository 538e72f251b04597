// The numbers of the repository's format: which of them are read, and which is written (format-6.md section 1).

/// The format belongs to each file and to each backup; there is none of a repository.
public enum RepositoryFormat {
    /// Of info files, manifests and headers.
    public static let readable = 5...6
    /// What is made anew here.
    public static let written = 5

    /// The number, when it is readable. Throws `.format` (29) for what another version has to read, and for nil: the file does not say.
    @discardableResult
    public static func check(_ format: Int64?) throws(BackupError) -> Int {
        guard let format else { throw BackupError(.format, "repository format not found") }
        let hint = "pgBackstop supports repository format \(readable.lowerBound) to \(readable.upperBound)."
        if format > Int64(readable.upperBound) {
            throw BackupError(.format, "repository format \(format) requires a newer version of pgBackstop", hint: hint)
        }
        if format < Int64(readable.lowerBound) {
            throw BackupError(.format, "repository format \(format) is no longer supported by pgBackstop", hint: hint)
        }
        return Int(format)
    }
}
