import { IconMapQuestion } from "@tabler/icons-react";
import { Link } from "wouter";

import { EmptyState } from "../ui/EmptyState";

export default function NotFoundPage() {
  return (
    <EmptyState icon={<IconMapQuestion size={22} />} title="There is no page at this address">
      <Link href="/">Back to Chat</Link>
    </EmptyState>
  );
}
