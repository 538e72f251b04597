// Shares of a whole, as lock files and the log have them.

/// Hundredths of a percent, at most 10,000; everything of nothing.
func hundredthsOfPercent(_ complete: UInt64, of size: UInt64) -> UInt64 {
    complete >= size ? 10_000 : UInt64(Double(complete) / Double(size) * 10_000)
}

/// `65.27`.
func percentText(_ complete: UInt64, of size: UInt64) -> String {
    let hundredths = hundredthsOfPercent(complete, of: size)
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
}
