// Sizes for people, in the field's form (repository-format.md section 12.5).

/// `22.9MB`: powers of 1024, one decimal rounded half up on the truncated second one, `.0` dropped, at most GB.
func roundedSize(_ bytes: UInt64) -> String {
    let units = ["B", "KB", "MB", "GB"]
    var unit = 0
    var divisor: UInt64 = 1
    while unit < units.count - 1, bytes / divisor >= 1024 {
        divisor *= 1024
        unit += 1
    }
    if unit == 0 { return "\(bytes)B" }
    let whole = bytes / divisor
    let hundredths = (bytes % divisor) * 100 / divisor
    let tenths = whole * 10 + (hundredths + 5) / 10
    return tenths % 10 == 0 ? "\(tenths / 10)\(units[unit])" : "\(tenths / 10).\(tenths % 10)\(units[unit])"
}
