export function endMeasurements(): void;
