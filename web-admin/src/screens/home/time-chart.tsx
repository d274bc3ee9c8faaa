import "@mantine/charts/styles.css";
import { AreaChart } from "@mantine/charts";
import { Box } from "@mantine/core";

interface Props {
  /** The chart in words, for those who don't see it. */
  label: string;
  data: Record<string, string | number>[];
  format: (value: number) => string;
  series: { name: string; label: string; color: string }[];
}

export default function TimeChart({ label, data, format, series }: Props) {
  return (
    <Box role="img" aria-label={label}>
      <AreaChart
        h={180}
        data={data}
        dataKey="time"
        series={series}
        curveType="monotone"
        strokeWidth={1.6}
        fillOpacity={0.12}
        withDots={false}
        withLegend
        tickLine="none"
        gridAxis="x"
        areaProps={{ isAnimationActive: false }}
        areaChartProps={{ accessibilityLayer: false }}
        xAxisProps={{ minTickGap: 40, interval: "equidistantPreserveStart" }}
        yAxisProps={{ width: 62, allowDecimals: true }}
        valueFormatter={format}
      />
    </Box>
  );
}
